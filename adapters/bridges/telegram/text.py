"""Text as Telegram counts it: at most 4,096 UTF-16 code units a message."""
MOST = 4096


def units(words):
    return len(words.encode("utf-16-le")) // 2


def split(words, most=MOST):
    """Parts of at most `most` units, none blank, cut at a line's end or a space where there is one
    in the second half, and never within a surrogate pair. An all-blank text becomes one sign."""
    words = words.encode("utf-8", "replace").decode()
    parts = []
    while words:
        end = size = 0
        for sign in words:
            size += 2 if ord(sign) > 0xFFFF else 1
            if size > most:
                break
            end += 1
        if end < len(words):
            for cut in ("\n", " "):
                at = words.rfind(cut, end // 2, end)
                if at > 0:
                    end = at + 1
                    break
        if words[:end].strip():
            parts.append(words[:end])
        words = words[end:]
    return parts or ["\u2205"]
