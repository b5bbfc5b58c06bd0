"""The codebooks of ggml's I-quants, out of the `gguf` package, for core/formats/codebooks.h.

    python tests/golden/make_codebooks.py

prints the header's tables. An entry packs a group of four or eight values into 16 bits, the first one lowest; a book is
ascending, so what stands in the header is each entry's difference from the one before. tests/formats/dequantize_test.cpp
compares every entry with the package.
"""

import textwrap

import gguf
import numpy as np

BOOKS = {"iq2_xxs": gguf.quants.IQ2_XXS, "iq2_xs": gguf.quants.IQ2_XS, "iq2_s": gguf.quants.IQ2_S,
         "iq3_xxs": gguf.quants.IQ3_XXS, "iq3_s": gguf.quants.IQ3_S, "iq1": gguf.quants.IQ1_S}


def main():
    for name, book in BOOKS.items():
        entries = np.frombuffer(bytes.fromhex(book.grid_hex.decode()), "<u2").astype(int)
        assert entries[0] == 0 and (np.diff(entries) > 0).all()
        print(f"inline constexpr std::array<std::uint16_t, {len(entries)}> {name}_steps = {{")
        steps = ",".join(str(step) for step in [0, *np.diff(entries)])
        print("\n".join(textwrap.wrap(steps.replace(",", ", "), 116, initial_indent="    ", subsequent_indent="    ")))
        print("};")


if __name__ == "__main__":
    main()
