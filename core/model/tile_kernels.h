#pragma once
// A weight as tiles of bf16 for AMX, a matrix unit, and the two products of training with it. One layout serves both,
// where a library keeps a second copy for the product with the transposed weight.
// A number in f32 is taken as the sum of two of bf16, 16 bits of its 24, and a product as three of theirs (hi hi + hi lo +
// lo hi): errors of some 4e-6 of the result, and twice the speed of f32 by the vector units.

#include <cstdint>

namespace plumbline::loops {

inline constexpr std::int64_t tile_rows = 16;      // of a tile
inline constexpr std::int64_t tile_depth = 32;     // numbers of a row
inline constexpr std::int64_t tile_numbers = tile_rows * tile_depth;

/// Whether this program was compiled with the kernels; called where the processor has them only.
bool tiles_built();

/// Rows of 16 in panels one behind the other; a panel is its steps of 32 columns, a step its pieces (1: rounded to bf16;
/// 2: and what that leaves), a piece a tile. What is beyond the matrix is zero.
struct PanelShape {
    std::int64_t rows = 0, columns = 0;
    int pieces = 1;

    std::int64_t panels() const { return (rows + tile_rows - 1) / tile_rows; }
    std::int64_t steps() const { return (columns + tile_depth - 1) / tile_depth; }
    /// Numbers from one panel to the next.
    std::int64_t panel() const { return steps() * pieces * tile_numbers; }
};

/// Columns [0, shape.columns) of x (shape.rows, `stride` apart) -> panels [begin, end). u16: bf16 as the upper halves of
/// floats.
void to_panels(const float* x, std::int64_t stride, const PanelShape& shape, std::int64_t begin, std::int64_t end,
               std::uint16_t* out);
void to_panels(const std::uint16_t* x, std::int64_t stride, const PanelShape& shape, std::int64_t begin,
               std::int64_t end, std::uint16_t* out);
/// The same turned: a tile's rows are pairs of columns of x, as the unit takes its second factor.
void to_turned_panels(const float* x, std::int64_t stride, const PanelShape& shape, std::int64_t begin,
                      std::int64_t end, std::uint16_t* out);
void to_turned_panels(const std::uint16_t* x, std::int64_t stride, const PanelShape& shape, std::int64_t begin,
                      std::int64_t end, std::uint16_t* out);
/// Panels back to numbers (the sum of the pieces), rows contiguous.
void from_panels(const std::uint16_t* panels, const PanelShape& shape, std::int64_t begin, std::int64_t end, float* out);

/// A weight (outputs, in) in panels, an even number of them.
struct TiledWeight {
    const std::uint16_t* panels = nullptr;
    PanelShape shape;
};

/// low (rows, r) b^T beside a product: b (outputs, r) in panels, low in turned ones, both of two pieces.
struct TileTerm {
    const std::uint16_t *b = nullptr, *low = nullptr;   // nullptr: none
    std::int64_t first_pair = 0, steps = 0;             // of outputs, with which b begins
};

/// x (rows, in) in turned panels -> y (rows, …, `stride` apart), outputs of the panel pairs [begin, end). `sums`: room for
/// rows rounded up to 32, times 32. y of bf16 is for weights of one piece.
void multiply_tiles(const TiledWeight& weight, const std::uint16_t* turned, const TileTerm& term, std::int64_t rows,
                    std::int64_t begin, std::int64_t end, float* sums, float* y, std::int64_t stride);
void multiply_tiles(const TiledWeight& weight, const std::uint16_t* turned, std::int64_t rows, std::int64_t begin,
                    std::int64_t end, float* sums, std::uint16_t* y, std::int64_t stride);

/// A gradient of outputs in panels `panel` apart, each beginning with panel pair `first_pair` of the weight.
struct TiledGradient {
    const std::uint16_t* panels = nullptr;
    std::int64_t panel = 0, rows = 0, first_pair = 0, pairs = 0;
};
/// sums = (first) or += grad (rows, its outputs) times those rows of the weight, for its steps [begin, end). `sums`: for
/// each step room for rows rounded up to 32, times 32; added_up() reads them. `turned`: room for the outputs, times 32,
/// times pieces.
void multiply_through_tiles(const TiledWeight& weight, const TiledGradient& grad, bool first, std::int64_t begin,
                            std::int64_t end, std::uint16_t* turned, float* sums);
/// Those sums of the rows [begin, end) of all -> out (end - begin, in).
void added_up(const float* sums, std::int64_t rows, std::int64_t in, std::int64_t begin, std::int64_t end, float* out);
void added_up(const float* sums, std::int64_t rows, std::int64_t in, std::int64_t begin, std::int64_t end,
              std::uint16_t* out);

/// The sums over rows of low (rows, r)^T x (rows, columns), a thin matrix. First low: for each 32 rows, and of these each 16
/// of r, a tile of two pieces. r a multiple of 16.
inline constexpr std::int64_t sum_rows = 32;
void to_sum_tiles(const float* low, std::int64_t stride, std::int64_t rows, std::int64_t r, std::uint16_t* out);
/// Where the sums go: out (r, columns), or (columns, r).
struct SumsOut {
    float* data = nullptr;
    std::int64_t stride = 0;
    bool columns_first = false;
};
/// x's columns [begin, end), begin a multiple of 16; the same of out.
void sum_over_rows(const std::uint16_t* low, std::int64_t r, const float* x, std::int64_t stride, std::int64_t rows,
                   std::int64_t begin, std::int64_t end, const SumsOut& out);

}  // namespace plumbline::loops
