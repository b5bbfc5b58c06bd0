"""A GGUF file of random weights in the shape of a larger SmolLM2: what a model of that size costs, without fetching it.

    python random_model.py SHAPE TOKENIZER.gguf OUT.gguf        SHAPE: 360M or 1.7B

needs numpy and gguf. Tokenizer, template and rotary settings are those of TOKENIZER.gguf; weights are as there in
Q4_1, the embedding in Q8_0, of standard deviation 0.02. The same shape gives the same bytes. What it writes says
nothing worth reading; it is for tests/bench/sweep.py.
"""

import os
import pathlib
import sys

import gguf
import numpy

# hidden, blocks, heads, kv heads, mlp: config.json of HuggingFaceTB/SmolLM2-360M and SmolLM2-1.7B
SHAPES = {"360M": (960, 32, 15, 5, 2560), "1.7B": (2048, 24, 32, 32, 8192)}
DEVIATION = 0.02
BLOCK = 32  # weights that share a scale, in both formats
Q4_1, Q8_0, F32 = gguf.GGMLQuantizationType.Q4_1, gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType.F32
BLOCK_BYTES = {Q4_1: 20, Q8_0: 34}


def tensors(shape, vocabulary):
    """(name, (rows, columns), format) in the file's order; norms have one axis."""
    hidden, blocks, heads, kv_heads, mlp = shape
    kv = hidden // heads * kv_heads
    yield "token_embd.weight", (vocabulary, hidden), Q8_0
    for i in range(blocks):
        for name, size in (("attn_norm", (hidden,)), ("ffn_down", (hidden, mlp)), ("ffn_gate", (mlp, hidden)),
                           ("ffn_up", (mlp, hidden)), ("ffn_norm", (hidden,)), ("attn_k", (kv, hidden)),
                           ("attn_output", (hidden, hidden)), ("attn_q", (hidden, hidden)), ("attn_v", (kv, hidden))):
            yield f"blk.{i}.{name}.weight", size, F32 if len(size) == 1 else Q4_1
    yield "output_norm.weight", (hidden,), F32


def stored_shape(size, kind):
    return size if kind == F32 else (size[0], size[1] // BLOCK * BLOCK_BYTES[kind])


def values(size, kind, random):
    """Bytes of a matrix whose entries are uniform around zero; ones for a norm."""
    if kind == F32:
        return numpy.ones(size, numpy.float32)
    out = random.integers(0, 256, (size[0], size[1] // BLOCK, BLOCK_BYTES[kind]), numpy.uint8)
    if kind == Q8_0:  # scale, 32 signed bytes
        scales = [DEVIATION * 12 ** 0.5 / 256]
    else:  # scale and least value, 32 half bytes of 0..15
        scale = DEVIATION * 12 ** 0.5 / 16
        scales = [scale, -7.5 * scale]
    head = numpy.array(scales, "<f2").view(numpy.uint8)
    out[:, :, :len(head)] = head
    return out.reshape(stored_shape(size, kind))


def write(name, source, out):
    hidden, blocks, heads, kv_heads, mlp = SHAPES[name]
    given = gguf.GGUFReader(source)
    sizes = {"llama.block_count": blocks, "llama.embedding_length": hidden, "llama.feed_forward_length": mlp,
             "llama.attention.head_count": heads, "llama.attention.head_count_kv": kv_heads,
             "llama.rope.dimension_count": hidden // heads, "general.name": f"random weights, SmolLM2-{name}",
             "general.basename": "random", "general.size_label": name}
    writer = gguf.GGUFWriter(out, "llama")
    for key, field in given.fields.items():
        if key.startswith("GGUF.") or key == "general.architecture":
            continue
        kind = field.types[0]
        writer.add_key_value(key, sizes.get(key, field.contents()), kind,
                             field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None)
    vocabulary = int(next(t.shape[1] for t in given.tensors if t.name == "token_embd.weight"))
    listed = list(tensors(SHAPES[name], vocabulary))
    for tensor, size, kind in listed:
        stored = stored_shape(size, kind)
        bytes_each = 4 if kind == F32 else 1
        writer.add_tensor_info(tensor, stored, numpy.dtype(numpy.float32 if kind == F32 else numpy.uint8),
                               int(numpy.prod(stored)) * bytes_each, None if kind == F32 else kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    random = numpy.random.default_rng(0)
    for _, size, kind in listed:
        writer.write_tensor_data(values(size, kind, random))
    writer.close()


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in SHAPES:
        print(__doc__, file=sys.stderr)
        return 2
    out = pathlib.Path(sys.argv[3])
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    try:
        write(sys.argv[1], sys.argv[2], part)
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
