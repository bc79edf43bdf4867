/* The tables that dialects bring, gone through as one. */
#include "dialect.h"

const void *
dialect_row(const void *own, size_t member, size_t row_bytes, size_t i)
{
    const char *row = own;

    for (size_t d = 0;; d++) {
        for (; row != NULL && *(const void *const *)(const void *)row != NULL;
             row += row_bytes)
            if (i-- == 0)
                return row;
        if (dialects[d] == NULL)
            return NULL;
        row = *(const char *const *)((const char *)dialects[d] + member);
    }
}
