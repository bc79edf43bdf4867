/* An expression as a tree: read by regex_tree.c, made a program by regex.c. */
#ifndef TICDC_REGEX_TREE_H
#define TICDC_REGEX_TREE_H

#include "arena.h"
#include "base.h"

enum kind { EMPTY, CHAR, ANY, CLASS, CAT, ALT, REPEAT, ASSERT };

enum assertion {
    TEXT_BEGIN,
    TEXT_END,
    LINE_BEGIN,
    LINE_END,
    WORD_EDGE,
    NO_WORD_EDGE,
};

struct range {
    uint32_t first, last;
};

struct class
{
    bool negated, fold;
    size_t n, room;
    struct range *v;
    const struct class *also; /* a negated one inside: [^\D] */
};

struct node {
    enum kind kind;
    uint32_t c;
    bool fold;  /* CHAR */
    bool lines; /* ANY: the end of a line too; REPEAT: without end */
    const struct class *class;
    enum assertion assertion;
    struct node *a, *b;
    unsigned least, most; /* REPEAT */
};

/* As regex_compile() takes it (regex.h): the tree in the arena. */
enum err regex_read(struct arena *a, const char *text, size_t n, bool fold,
                    const struct node **out, char why[WHY_BYTES]) MUST_USE;

/* A character of \w: of ASCII, as RE2 has it. */
static inline bool
is_word(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (c >= 'a' && c <= 'z');
}

#endif
