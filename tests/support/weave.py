"""Many mutations of a source in one object: each function that has some is
there once without, and once for each of them; a word of a file that every
process of a test maps says which is meant. So a sample is built and started
once, and the next mutation costs no more than the tests that run it."""

import mmap
import os
import re
import struct

# Word 0: the number of the mutation that is meant, 0 for none. Word n: how
# often function n has begun, which has mutations.
WORDS = 1 << 14
SWITCH = """#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
static volatile int none[%d];
volatile int *woven = none;
__attribute__((constructor)) static void weave(void)
{
    int fd = open("%s", O_RDWR | O_CLOEXEC);
    void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(none),
        PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (at != MAP_FAILED)
        woven = at;
}
"""


class Switch:
    """The file, and what is read from it and written to it."""

    def __init__(self, path, new=False):
        self.path = path
        if new:
            with open(path, "wb") as f:
                f.truncate(4 * WORDS)
            os.chmod(path, 0o666)  # workers have an account of their own
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 4 * WORDS)

    def source(self):
        return SWITCH % (WORDS, self.path)

    def choose(self, number):
        self.map[:4] = struct.pack("=i", number)

    def forget(self):
        self.map[4:] = bytes(4 * WORDS - 4)

    def begun(self):
        """The numbers of the functions that have begun since forget()."""
        words = struct.unpack(f"={WORDS}i", self.map[:])
        return {n for n in range(1, WORDS) if words[n]}


def woven(path, text, bodies, mutations):
    """text with all mutations [(number, Mutation)]; bodies: {(start, end):
    number of the function}. A mutation that is in none is left out."""
    parts, at = ["extern volatile int *woven;\n", mark(1, path)], 0
    for (start, end), function in sorted(bodies.items()):
        here = [(n, m) for n, m in mutations if start <= m.start <= end]
        if not here:
            continue
        line = text.count("\n", 0, start) + 1
        parts += [text[at:start],
                  f"{{ woven[{function}]++; switch (*woven) {{\n"]
        for number, m in here:
            changed = m.new[start:end + 1 + len(m.new) - len(text)]
            parts += [f"case {number}:\n", mark(line, f"mutation-{number}"),
                      changed, "\nbreak;\n"]
        parts += ["default:\n", mark(line, path), text[start:end + 1],
                  "\n}}"]
        at = end + 1
        line = text.count("\n", 0, at) + 1
        parts += ["\n", mark(line, path)]
    return "".join(parts + [text[at:]])


def mark(line, name):
    return f'# {line} "{name}"\n'


def do_not_compile(told):
    """The numbers of the mutations that a compiler refuses."""
    return {int(n) for n in re.findall(
        r"^mutation-(\d+):\d+:\d+: (?:fatal )?error", told, re.M)}
