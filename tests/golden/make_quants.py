"""Blocks of every quantised type by the `gguf` package, for tests/formats/dequantize_test.cpp and quantize_test.cpp.

    python tests/golden/make_quants.py

writes quants.json beside this script. For reading, per type: blocks in hexadecimal and their values as the bits of f32,
and the SHA-256 of the values of 1024 blocks whose bytes are the numbers of `generated`, so that every code of every
codebook is met. Half of the blocks of the types that the package can write are quantised from normal numbers; the rest
are random bytes with finite scales, so that every bit of a block matters. For writing, per type: blocks of awkward
values, and the SHA-256 of 4096 generated ones.
"""

import hashlib
import importlib.metadata
import json
import pathlib

import gguf
import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T

HERE = pathlib.Path(__file__).parent
READ = [T.F32, T.F16, T.BF16, T.F64, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.Q2_K, T.Q3_K, T.Q4_K, T.Q5_K, T.Q6_K,
        T.IQ1_S, T.IQ1_M, T.IQ2_XXS, T.IQ2_XS, T.IQ2_S, T.IQ3_XXS, T.IQ3_S, T.IQ4_NL, T.IQ4_XS, T.TQ1_0, T.TQ2_0, T.MXFP4]
WRITTEN = [T.F32, T.F16, T.BF16, T.Q8_0, T.Q5_1, T.Q5_0, T.Q4_1, T.Q4_0]
# Where f16 scales lie in a block. IQ1_M has its own: the upper nibbles of the last four words.
SCALES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108],
          T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.IQ1_S: [0], T.IQ2_XXS: [0], T.IQ2_XS: [0], T.IQ2_S: [0],
          T.IQ3_XXS: [0], T.IQ3_S: [0], T.IQ4_NL: [0], T.IQ4_XS: [0], T.TQ1_0: [52], T.TQ2_0: [64]}
F16_SCALES = [0.0, -0.0, 1.0, -0.01, 6.1e-5, 5.96e-8, -3.3e-6, 65504.0, 0.333, -1.7]  # with subnormals and extremes


def random_blocks(rng, kind, count):
    elements, size = GGML_QUANT_SIZES[kind]
    if kind in (T.F32, T.F64):
        dtype = np.float32 if kind == T.F32 else np.float64
        return rng.standard_normal(count).astype(dtype).view(np.uint8).reshape(count, size)
    blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
    if kind in (T.F16, T.BF16):  # every kind of number but NaN, whose payload is not compared
        bits = blocks.view(np.uint16)
        exponent = 0x7C00 if kind == T.F16 else 0x7F80
        bits[(bits & exponent) == exponent] &= np.uint16(0x8000 | exponent)
        bits[:4, 0] = [0, 0x8000, 1, 0x8001]
        return blocks
    for row in range(count):
        for place in SCALES.get(kind, []):
            blocks[row, place:place + 2] = np.frombuffer(np.float16(rng.choice(F16_SCALES)).tobytes(), np.uint8)
        if kind == T.IQ1_M:
            scale = int(np.float16(rng.choice(F16_SCALES)).view(np.uint16))
            words = blocks[row, 48:56].view(np.uint16)
            words[:] = [(int(word) & 0xFFF) | ((scale >> (4 * i)) & 15) << 12 for i, word in enumerate(words)]
        if kind == T.MXFP4:
            blocks[row, 0] = [0, 1, 2, 127, 254, 100, 130, 120][row % 8]
    return blocks


def generated(count):
    """The upper 16 bits of a congruential generator, which the tests have too."""
    out, x = np.empty(count, np.uint16), 1
    for i in range(count):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        out[i] = x >> 16
    return out


def dequantized(blocks, kind):
    if kind == T.F64:
        return blocks.view(np.float64).astype(np.float32)
    plain = GGML_QUANT_SIZES[kind][0] == 1
    return gguf.quants.dequantize(blocks.reshape(-1) if plain else blocks, kind).astype(np.float32)


def read_rows(rng):
    numbers = (generated(1024 * 256) >> 8).astype(np.uint8)
    out = {}
    for kind in READ:
        elements, size = GGML_QUANT_SIZES[kind]
        count = {1: 96, 32: 12, 256: 4}[elements]
        blocks = [random_blocks(rng, kind, count)]
        try:
            values = rng.standard_normal((count, elements)).astype(np.float32)
            blocks.append(gguf.quants.quantize(values, kind).view(np.uint8).reshape(count, size))
        except NotImplementedError:
            pass
        data = np.concatenate(blocks)
        values = dequantized(data, kind)
        assert values.size == data.shape[0] * elements
        row = {"type": int(kind), "elements": int(values.size), "data": data.tobytes().hex(),
               "bits": values.reshape(-1).view(np.uint32).tolist()}
        if elements > 1:
            # Without the exponent's upper bit a scale is finite.
            finite = [place + 1 for place in SCALES.get(kind, [])] + ([55] if kind == T.IQ1_M else [])
            many = numbers[:1024 * size].reshape(1024, size).copy()
            many[:, finite] &= 0xBF
            row |= {"finite": finite, "sha256": hashlib.sha256(dequantized(many, kind).tobytes()).hexdigest()}
        out[kind.name] = row
    return out


def awkward_values(rng):
    """Zeros, equal magnitudes of both signs, one value alone, ties, scales below F16, a wide range."""
    values = rng.standard_normal((12, 32)).astype(np.float32)
    values[0] = 0
    values[1, :] = np.where(np.arange(32) % 2 == 0, 1.5, -1.5)
    values[2] = -values[1]
    values[3] = 0
    values[3, 17] = -0.37
    values[4] = (np.arange(32) - 16) / 2
    values[5] *= np.float32(1e-36)
    values[6] = 7.25
    values[7] *= np.float32(3e4 / abs(values[7]).max())
    values[8] = np.arange(32, dtype=np.float32) / 31
    values[9] = -0.0
    return values


def written_rows(rng):
    values = awkward_values(rng)
    many = (generated(4096 * 32).astype(np.float32) - np.float32(32768)) / np.float32(16384)
    many = (many * many * many).reshape(4096, 32)
    types = {}
    for kind in WRITTEN:
        def blocks(of):
            return np.ascontiguousarray(gguf.quants.quantize(of, kind)).tobytes()
        with np.errstate(over="ignore", invalid="ignore"):
            types[kind.name] = {"type": int(kind), "data": blocks(values).hex(),
                                "sha256": hashlib.sha256(blocks(many)).hexdigest()}
    return {"values": values.reshape(-1).view(np.uint32).tolist(), "types": types}


def main():
    rng = np.random.default_rng(3)
    path = HERE / "quants.json"
    path.write_text(json.dumps({"made_by": "make_quants.py", "versions": {
        "gguf": importlib.metadata.version("gguf"), "numpy": np.__version__},
        "types": read_rows(rng), "written": written_rows(rng)}, separators=(",", ":")) + "\n")
    print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
