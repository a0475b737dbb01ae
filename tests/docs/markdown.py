"""As much of Markdown as the checkers need: fenced blocks, code spans, links, headings."""
import re
from typing import NamedTuple


class Block(NamedTuple):
    line: int
    language: str
    text: str
    quotes: str  # the path in a `<!-- file: PATH -->` line just above, or ""


class Piece(NamedTuple):
    line: int
    text: str


def split(text):
    """Returns (blocks, prose), prose being the lines outside the blocks."""
    blocks, prose, fence, quotes = [], [], None, ""
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r"\s*(```+|~~~+)\s*(\S*)", line)
        if fence:
            if mark and mark[1].startswith(fence[0]) and not mark[2]:
                blocks.append(Block(fence[1], fence[2], "".join(body), fence[3]))
                fence = None
            else:
                body.append(line + "\n")
        elif mark:
            fence, body = (mark[1], number, mark[2], quotes), []
            quotes = ""
        else:
            prose.append(Piece(number, line))
            marker = re.match(r"\s*<!-- file: (\S+) -->", line)
            if marker:
                quotes = marker[1]
            elif line.strip():
                quotes = ""
    if fence:
        blocks.append(Block(fence[1], fence[2], "".join(body), fence[3]))
    return blocks, prose


def spans(prose):
    """The inline code of the prose."""
    for line in prose:
        for match in re.finditer(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", line.text):
            yield Piece(line.line, match[2].strip())


def links(prose):
    for line in prose:
        bare = re.sub(r"`[^`]*`", "``", line.text)
        for match in re.finditer(r"\[[^\]]*\]\(([^)\s]+)\)", bare):
            yield Piece(line.line, match[1])


def anchors(text):
    """The anchors of a document's headings, as the usual renderers make them."""
    found = set()
    for line in split(text)[1]:
        heading = re.match(r"#+\s+(.*)", line.text)
        if heading:
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).lower()
            found.add(re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-"))
    return found


def commands(text):
    """What a document tells its reader to type: code spans, and lines of shell blocks."""
    blocks, prose = split(text)
    yield from spans(prose)
    for block in blocks:
        if block.language in ("", "sh", "bash", "shell", "console"):
            for offset, line in enumerate(block.text.splitlines(), 1):
                yield Piece(block.line + offset, re.sub(r"^\s*(\$ )?", "", line))
