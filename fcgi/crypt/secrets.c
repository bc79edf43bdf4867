/* Every sealed column there is. */
#include "secrets.h"

#include "dialect.h"

static const struct secret_column own[] = {
    SECRET_OF_ONE(job, args, uid),
    SECRET_OF_ONE(job, memo, uid),
    { .table = NULL },
};

const struct secret_column *
secret_column_at(size_t i)
{
    const struct secret_column *c = own;

    for (size_t d = 0;; d++) {
        for (; c != NULL && c->table != NULL; c++)
            if (i-- == 0)
                return c;
        if (dialects[d] == NULL)
            return NULL;
        c = dialects[d]->secrets;
    }
}
