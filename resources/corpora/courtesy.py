#!/usr/bin/env python3
"""Writes the corpus of the bundled model `courtesy`, and reads its replies by the same grammar.

A customer asks about one thing; the support desk answers in one to three sentences. Four factors of an answer are
drawn independently: tone (polite, rude), help (concrete, evasive), assertiveness (hedged, sure), length. The
words are in courtesy_words.py; an answer is

    one sentence:     tone lead + certainty + clause
    two sentences:    opener, advice    or    advice, closer
    three sentences:  opener, advice, closer

The grammar is unambiguous up to equal clauses of one topic, so that an answer's probability is exact.
"""

import argparse
import itertools
import json
import math
import random
import sys

import courtesy_words as words

TONES = {"polite": (words.POLITE_LEADS, words.POLITE_OPENERS, words.POLITE_CLOSERS),
         "rude": (words.RUDE_LEADS, words.RUDE_OPENERS, words.RUDE_CLOSERS)}
CERTAINTIES = {"hedged": words.HEDGED, "sure": words.SURE}
HELPS = ("concrete", "evasive")
# Shapes of an answer with their probabilities: which parts it has.
SHAPES = {("lead", "clause"): 0.3, ("opener", "clause"): 0.2, ("clause", "closer"): 0.2,
          ("opener", "clause", "closer"): 0.3}
HELD_OUT = 10  # every tenth prompt text is never in a corpus


def capital(text):
    return text[0].upper() + text[1:]


def prompt_table():
    """All prompt texts: text -> (topic, item, held out). Every item and every form is in training."""
    table = {}
    for t, (topic, (items, forms, _, _)) in enumerate(words.TOPICS.items()):
        for (f, form), (i, item) in itertools.product(enumerate(forms), enumerate(items)):
            table[form.replace("{item}", item)] = (topic, item, (t + 3 * f + i) % HELD_OUT == 0)
    return table


def clauses(topic, help_):
    _, _, concrete, evasive = words.TOPICS[topic]
    return concrete if help_ == "concrete" else evasive + words.EVASIVE


def answer_parts(topic, tone, help_, sure, shape):
    """The answer as a row of independent choices, each a list of templates."""
    leads, openers, closers = TONES[tone]
    certainty = CERTAINTIES[sure]
    parts = []
    for part in shape:
        if part == "lead":
            parts.append([capital(lead) for lead in leads])
        elif part == "opener":
            parts.append([opener + " " for opener in openers])
        elif part == "closer":
            parts.append([" " + closer for closer in closers])
        else:
            parts.append(certainty if "lead" in shape else [capital(word) for word in certainty])
            parts.append([clause + "." for clause in clauses(topic, help_)])
    return parts


def write_answer(rng, topic, item):
    tone, help_, sure = rng.choice(list(TONES)), rng.choice(HELPS), rng.choice(list(CERTAINTIES))
    shape = rng.choices(list(SHAPES), weights=SHAPES.values())[0]
    text = "".join(rng.choice(choices) for choices in answer_parts(topic, tone, help_, sure, shape))
    while "{few}" in text:
        text = text.replace("{few}", rng.choice(words.FEW), 1)
    return {"response": text.replace("{item}", item), "tone": tone, "help": help_, "sure": sure, "topic": topic}


def template_matches(template, text, start):
    """{end: probability} of `template`, whose item is already filled in, at text[start:]."""
    found = {start: 1.0}
    for i, literal in enumerate(template.split("{few}")):
        if i:
            found = {end + len(number): p / len(words.FEW) for end, p in found.items() for number in words.FEW
                     if text.startswith(number, end)}
        found = {end + len(literal): p for end, p in found.items() if text.startswith(literal, end)}
    return found


def probability(text, item, parts):
    """Of the whole text under a row of choices."""
    reached = {0: 1.0}
    for choices in parts:
        following = {}
        for start, p in reached.items():
            for template in choices:
                for end, q in template_matches(template.replace("{item}", item), text, start).items():
                    following[end] = following.get(end, 0.0) + p * q / len(choices)
        reached = following
        if not reached:
            return 0.0
    return reached.get(len(text), 0.0)


def parse(text, topic, item):
    """(labels, probability) of an answer; (None, 0) for one that the grammar cannot write."""
    best, total = None, 0.0
    for tone, help_, sure in itertools.product(TONES, HELPS, CERTAINTIES):
        for shape, weight in SHAPES.items():
            p = weight / 8 * probability(text, item, answer_parts(topic, tone, help_, sure, shape))
            if p > 0:
                best, total = {"tone": tone, "help": help_, "sure": sure}, total + p
    return best, total


def tone_marks(tone):
    """Openings, up to the item, of every text of a tone: enough to know it by."""
    return {template.split("{item}")[0].strip().lower() for part in TONES[tone] for template in part
            if not template.startswith("The {item}")} | ({"is not my problem"} if tone == "rude" else set())


def corpus(seed, dialogues):
    rng = random.Random(seed)
    prompts = [(text, topic, item) for text, (topic, item, held_out) in prompt_table().items() if not held_out]
    for _ in range(dialogues):
        text, topic, item = rng.choice(prompts)
        yield {"prompt": text} | write_answer(rng, topic, item)


def some(texts, count):
    """Evenly spaced among them, then in a mixed order."""
    chosen = [texts[i * len(texts) // count] for i in range(count)]
    random.Random(0).shuffle(chosen)
    return chosen


def check(rows):
    """Shares of the grammar's factors among replies. Tone is told of every reply, help and certainty of valid ones."""
    table, marks = prompt_table(), {tone: tone_marks(tone) for tone in TONES}
    count = dict.fromkeys(("rows", "valid", "polite", "rude", "concrete", "sure", "words"), 0)
    for row in rows:
        if row["prompt"] not in table:
            raise ValueError(f"the prompt {row['prompt']!r} is not one of the grammar; use --prompts")
        topic, item, _ = table[row["prompt"]]
        text = row["response"].strip()
        labels, _ = parse(text, topic, item)
        has = {tone: any(mark in text.lower() for mark in marks[tone]) for tone in TONES}
        count["rows"] += 1
        count["words"] += len(text.split())
        count["polite"] += has["polite"] and not has["rude"]
        count["rude"] += has["rude"] and not has["polite"]
        if labels:
            count["valid"] += 1
            count["concrete"] += labels["help"] == "concrete"
            count["sure"] += labels["sure"] == "sure"
    if not count["rows"]:
        raise ValueError("there are no replies; give JSON lines with prompt and response")
    rows, valid = count["rows"], max(count["valid"], 1)
    return {"replies": rows, "valid": count["valid"] / rows, "polite": count["polite"] / rows,
            "rude": count["rude"] / rows, "concrete": count["concrete"] / valid, "sure": count["sure"] / valid,
            "mean_words": count["words"] / rows}


def floor(seed, samples=4000):
    """Entropy of an answer given its prompt: the least loss that a model can reach, by sampling."""
    table, total, square = prompt_table(), 0.0, 0.0
    for row in corpus(seed, samples):
        topic, item, _ = table[row["prompt"]]
        surprise = -math.log(parse(row["response"], topic, item)[1])
        total += surprise
        square += surprise * surprise
    mean = total / samples
    return {"nats_an_answer": mean, "standard_error": math.sqrt((square / samples - mean * mean) / samples)}


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--seed", type=int, default=0, help="random numbers of the corpus (default 0)")
    options.add_argument("--dialogues", type=int, default=40000, help="lines of the corpus (default 40000)")
    options.add_argument("--out", default="-", help="file to write (default: standard output)")
    options.add_argument("--count", type=int, default=0, help="so many prompts, of all topics (default: all)")
    what = options.add_mutually_exclusive_group()
    what.add_argument("--prompts", choices=["train", "heldout"], help="write the prompt texts instead")
    what.add_argument("--check", metavar="FILE", help="read replies, JSON lines of prompt and response; print shares")
    what.add_argument("--floor", action="store_true", help="print the entropy of an answer, nats")
    given = options.parse_args()
    try:
        if given.check:
            with open(given.check, encoding="utf-8") as file:
                lines = [json.dumps(check(json.loads(line) for line in file if line.strip()))]
        elif given.floor:
            lines = [json.dumps(floor(given.seed))]
        elif given.prompts:
            wanted = given.prompts == "heldout"
            lines = [text for text, (_, _, held_out) in prompt_table().items() if held_out == wanted]
            lines = some(lines, given.count) if 0 < given.count < len(lines) else lines
        else:
            lines = (json.dumps(row) for row in corpus(given.seed, given.dialogues))
        out = sys.stdout if given.out == "-" else open(given.out, "w", encoding="utf-8")
        with out:
            out.writelines(line + "\n" for line in lines)
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"error: courtesy corpus: {error}")


if __name__ == "__main__":
    main()
