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

/// x (rows, in) in turned panels -> y (rows, …, `stride` apart), outputs of the panel pairs [begin, end). `sums`: room for
/// rows rounded up to 32, times 32. To bf16 from one piece, to f32 from two.
void multiply_tiles(const TiledWeight& weight, const std::uint16_t* turned, std::int64_t rows, std::int64_t begin,
                    std::int64_t end, float* sums, float* y, std::int64_t stride);
void multiply_tiles(const TiledWeight& weight, const std::uint16_t* turned, std::int64_t rows, std::int64_t begin,
                    std::int64_t end, float* sums, std::uint16_t* y, std::int64_t stride);

/// Panel pairs of outputs, one behind the other.
struct Outputs {
    std::int64_t first_pair = 0, pairs = 0;
};
/// sums += grad (rows, those outputs; in panels) times those rows of the weight, for its steps [begin, end). `sums`: for
/// each step room for rows rounded up to 32, times 32, from which added_up() takes them. `panel`: room for the
/// outputs, times 32, times pieces.
void multiply_through_tiles(const TiledWeight& weight, const std::uint16_t* grad, std::int64_t rows,
                            const Outputs& outputs, std::int64_t begin, std::int64_t end, std::uint16_t* panel,
                            float* sums);
/// sums of the steps [begin, end) -> out (rows, in).
void added_up(const float* sums, std::int64_t rows, std::int64_t in, std::int64_t begin, std::int64_t end, float* out);
void added_up(const float* sums, std::int64_t rows, std::int64_t in, std::int64_t begin, std::int64_t end,
              std::uint16_t* out);

}  // namespace plumbline::loops
