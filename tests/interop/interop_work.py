"""The other programs' side of interop.py: one piece of work a process, its result as JSON in the last line.

    python interop_work.py transformers FOLDER REQUESTS TEXTS QUESTION TOKENS
    python interop_work.py peft FOLDER ADAPTER REQUESTS
    python interop_work.py make-adapter FOLDER ADAPTER REQUESTS
    python interop_work.py llama.cpp GGUF QUESTION TOKENS
    python interop_work.py llama.cpp-logprobs GGUF REQUESTS
    python interop_work.py versions

It is run by the Python of the environment that tests/bench/peers.py installs.
"""

import importlib.metadata
import json
import pathlib
import sys

PACKAGES = ("torch", "transformers", "trl", "peft", "llama-cpp-python")


def rows_of(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


def logprobs(model, requests):
    """Of the tokens of each response."""
    import torch

    out = []
    for row in rows_of(requests):
        prompt, response = row["prompt_ids"], row["response_ids"]
        with torch.no_grad():
            logits = model(torch.tensor([prompt + response])).logits[0].double()
        scores = torch.log_softmax(logits[len(prompt) - 1:-1], -1)
        out.append(scores.gather(1, torch.tensor(response)[:, None])[:, 0].tolist())
    return out


def opened(folder):
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def transformers(folder, requests, texts, question, tokens):
    import torch
    from transformers import AutoTokenizer

    model, tokenizer = opened(folder), AutoTokenizer.from_pretrained(folder)
    prompt = tokenizer.apply_chat_template([{"role": "user", "content": question}], add_generation_prompt=True,
                                           tokenize=False)
    ids = tokenizer(prompt, add_special_tokens=False, return_tensors="pt").input_ids
    with torch.no_grad():
        whole = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=int(tokens))[0]
    return {"logprobs": logprobs(model, requests), "greedy": whole[ids.shape[1]:].tolist(), "prompt": ids[0].tolist(),
            "ids": [tokenizer(row["text"], add_special_tokens=False).input_ids for row in rows_of(texts)]}


def peft(folder, adapter, requests):
    from peft import PeftModel

    return logprobs(PeftModel.from_pretrained(opened(folder), adapter).eval(), requests)


def make_adapter(folder, adapter, requests):
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    config = LoraConfig(r=8, lora_alpha=12, use_rslora=True, target_modules="all-linear", init_lora_weights=False,
                        task_type="CAUSAL_LM")
    model = get_peft_model(opened(folder), config).eval()
    for name, weight in model.named_parameters():
        if "lora_" in name:
            weight.data *= 0.1
    model.save_pretrained(adapter)
    return logprobs(model, requests)


def opened_by_llama_cpp(gguf, **settings):
    import llama_cpp
    from llama_cpp import Llama

    # With extra buffers llama.cpp lays quantised matrices out anew for the processor; on one with AMX, 0.3.36 then
    # crashes on two tokens at a time, with files that others made too.
    defaults = llama_cpp.llama_model_default_params

    def plain():
        out = defaults()
        out.use_extra_bufts = False
        return out

    llama_cpp.llama_model_default_params = llama_cpp.llama_cpp.llama_model_default_params = plain
    return Llama(gguf, n_ctx=256, n_threads=2, verbose=False, **settings)


def llama_cpp(gguf, question, tokens):
    from llama_cpp.llama_chat_format import Jinja2ChatFormatter

    llama = opened_by_llama_cpp(gguf)
    template = llama.metadata.get("tokenizer.chat_template")
    text = question + "\n"   # as Plumbline joins messages without a template
    if template:
        formatter = Jinja2ChatFormatter(template=template, eos_token="", bos_token="")
        text = formatter(messages=[{"role": "user", "content": question}]).prompt
    ids = llama.tokenize(text.encode(), add_bos=not template, special=True)
    out = []
    for token in llama.generate(ids, top_k=1, temp=0.0, repeat_penalty=1.0):
        out.append(token)
        if token == llama.token_eos() or len(out) == int(tokens):
            break
    return {"greedy": out, "prompt": ids}


def llama_cpp_logprobs(gguf, requests):
    import numpy

    llama = opened_by_llama_cpp(gguf, logits_all=True, type_k=0, type_v=0)   # keys and values in F32
    out = []
    for row in rows_of(requests):
        ids, first = row["prompt_ids"] + row["response_ids"], len(row["prompt_ids"])
        llama.reset()
        llama.eval(ids)
        logits = numpy.array(llama.scores[first - 1:len(ids) - 1], dtype=numpy.float64)
        scores = logits - numpy.logaddexp.reduce(logits, axis=-1, keepdims=True)
        out.append([scores[i, token] for i, token in enumerate(row["response_ids"])])
    return out


def versions():
    return {name: importlib.metadata.version(name) for name in PACKAGES}


WORK = {"transformers": transformers, "peft": peft, "make-adapter": make_adapter, "llama.cpp": llama_cpp,
        "llama.cpp-logprobs": llama_cpp_logprobs, "versions": versions}

if __name__ == "__main__":
    print(json.dumps(WORK[sys.argv[1]](*sys.argv[2:])))
