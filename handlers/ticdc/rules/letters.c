#include "letters.h"

#include "utf8.h"

/* Capitals from first to last; by 0: each stands before its small letter. */
static const struct {
    uint32_t first, last, by;
} capitals[] = {
    { 'A', 'Z', 32 },       { 0x00C0, 0x00D6, 32 }, { 0x00D8, 0x00DE, 32 },
    { 0x0100, 0x012E, 0 },  { 0x0132, 0x0136, 0 },  { 0x0139, 0x0147, 0 },
    { 0x014A, 0x0176, 0 },  { 0x0179, 0x017D, 0 },  { 0x0386, 0x0386, 38 },
    { 0x0388, 0x038A, 37 }, { 0x038C, 0x038C, 64 }, { 0x038E, 0x038F, 63 },
    { 0x0391, 0x03A1, 32 }, { 0x03A3, 0x03AB, 32 }, { 0x0400, 0x040F, 80 },
    { 0x0410, 0x042F, 32 }, { 0x0460, 0x0480, 0 },  { 0x048A, 0x04BE, 0 },
    { 0x04C1, 0x04CD, 0 },  { 0x04D0, 0x052E, 0 },  { 0x0531, 0x0556, 48 },
    { 0x1E00, 0x1E94, 0 },  { 0x1EA0, 0x1EFE, 0 },  { 0xFF21, 0xFF3A, 32 },
};

uint32_t
letter_lower(uint32_t c)
{
    if (c == 0x0178)
        return 0x00FF;
    for (size_t i = 0; i < COUNT(capitals); i++) {
        if (c < capitals[i].first || c > capitals[i].last)
            continue;
        if (capitals[i].by != 0)
            return c + capitals[i].by;
        return (c - capitals[i].first) % 2 == 0 ? c + 1 : c;
    }
    return c;
}

uint32_t
letter_upper(uint32_t c)
{
    if (c == 0x00FF)
        return 0x0178;
    for (size_t i = 0; i < COUNT(capitals); i++) {
        uint32_t by = capitals[i].by != 0 ? capitals[i].by : 1;
        uint32_t capital = c - by;

        if (c < by || capital < capitals[i].first || capital > capitals[i].last)
            continue;
        if (capitals[i].by != 0 || (capital - capitals[i].first) % 2 == 0)
            return capital;
    }
    return c;
}

uint32_t
letter_next(const char **p, const char *end)
{
    size_t n = utf8_len(*p, (size_t)(end - *p));
    uint32_t c;

    if (n == 0) {
        c = LETTER_BROKEN + (unsigned char)**p;
        *p += 1;
        return c;
    }
    c = utf8_decode(*p, n);
    *p += n;
    return c;
}
