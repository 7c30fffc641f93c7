#!/usr/bin/env python3
"""Writes libFuzzer's seeds and dictionary: compose files found in the tree, and the words of the unit test's list."""

import pathlib
import re
import sys

source, work = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
seeds = work / "seeds"
seeds.mkdir(parents=True, exist_ok=True)
text = source.read_text(encoding="utf-8")

words = re.search(r"tokens = \[(.*?)\n    \]", text, re.S).group(1)
lines = []
for literal in re.findall(r'"((?:[^"\\]|\\.)*)"', words):
    literal = re.sub(r"\\u\{(\w+)\}", lambda m: chr(int(m.group(1), 16)), literal)
    for escape, character in [("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t"), ("\\0", "\0"), ('\\"', '"'), ("\\\\", "\\")]:
        literal = literal.replace(escape, character)
    if literal:
        lines.append('"' + "".join(f"\\x{byte:02x}" for byte in literal.encode()) + '"')
(work / "words.dict").write_text("\n".join(lines) + "\n", encoding="ascii")

# The first byte is the stage: the whole loader.
for number, block in enumerate(re.findall(r'"""\n(.*?)"""', text, re.S)):
    block = block.replace("\\0", "\0").replace("\\n", "\n").replace("\\\n", "")
    (seeds / f"block{number}").write_bytes(b"\0" + re.sub(r"(?m)^ {12}", "", block).encode())
for number, example in enumerate(sorted(pathlib.Path("examples").rglob("*.y*ml"))):
    (seeds / f"example{number}").write_bytes(b"\0" + example.read_bytes())
for stage, sample in enumerate(["a: &x [1, ~]\nb: *x\n", "a ${A:-b} $$", "A=1\nB='x'\n", "A=1\nB\n", "services: {}"], 1):
    (seeds / f"stage{stage}").write_bytes(bytes([stage]) + sample.encode())
