"""Blocks of every quantised type and their values by the `gguf` package, for tests/formats/dequantize_test.cpp.

    python tests/golden/make_quants.py

writes quants.json beside this script: per type the blocks' bytes in hexadecimal and the values as the bits of f32.
Half of the blocks of the types that the package can write are quantised from normal numbers; the rest are random
bytes with finite scales, so that every bit of a block matters.
"""

import importlib.metadata
import json
import pathlib

import gguf
import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T

HERE = pathlib.Path(__file__).parent
TYPES = [T.F32, T.F16, T.BF16, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.Q4_K, T.Q5_K, T.Q6_K]
# Where f16 scales lie in a block.
SCALES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q4_K: [0, 2], T.Q5_K: [0, 2],
          T.Q6_K: [208]}
F16_SCALES = [0.0, -0.0, 1.0, -0.01, 6.1e-5, 5.96e-8, -3.3e-6, 65504.0, 0.333, -1.7]  # with subnormals and extremes


def random_blocks(rng, kind, count):
    elements, size = GGML_QUANT_SIZES[kind]
    if kind == T.F32:
        return rng.standard_normal(count).astype(np.float32).view(np.uint8).reshape(count, size)
    blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
    if kind in (T.F16, T.BF16):  # every kind of number but NaN, whose payload is not compared
        bits = blocks.view(np.uint16)
        exponent = 0x7C00 if kind == T.F16 else 0x7F80
        bits[(bits & exponent) == exponent] &= np.uint16(0x8000 | exponent)
        bits[:4, 0] = [0, 0x8000, 1, 0x8001]
        return blocks
    for row in range(count):
        for place in SCALES[kind]:
            blocks[row, place:place + 2] = np.frombuffer(np.float16(rng.choice(F16_SCALES)).tobytes(), np.uint8)
    return blocks


def main():
    rng = np.random.default_rng(3)
    out = {}
    for kind in TYPES:
        elements, size = GGML_QUANT_SIZES[kind]
        count = {1: 96, 32: 12, 256: 4}[elements]
        blocks = [random_blocks(rng, kind, count)]
        try:
            values = rng.standard_normal((count, elements)).astype(np.float32)
            blocks.append(gguf.quants.quantize(values, kind).view(np.uint8).reshape(count, size))
        except NotImplementedError:
            pass
        data = np.concatenate(blocks)
        values = gguf.quants.dequantize(data.reshape(-1) if elements == 1 else data, kind).astype(np.float32)
        assert values.size == data.shape[0] * elements
        out[kind.name] = {"type": int(kind), "elements": int(values.size), "data": data.tobytes().hex(),
                          "bits": values.reshape(-1).view(np.uint32).tolist()}
    path = HERE / "quants.json"
    path.write_text(json.dumps({"made_by": "make_quants.py", "versions": {
        "gguf": importlib.metadata.version("gguf"), "numpy": np.__version__}, "types": out}, separators=(",", ":")) + "\n")
    print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
