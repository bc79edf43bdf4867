/* Failures as bare text. */
#include "form_text.h"

#include "buf.h"

static void
failure(struct req *r, struct json_writer *w, const struct failure *f)
{
    (void)r;
    buf_puts(w->out, f->text);
}

const struct form form_text = {
    .name = "text",
    .reply_type = "text/plain",
    .error_type = "text/plain",
    .failure = failure,
};
