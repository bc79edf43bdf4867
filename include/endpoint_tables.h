/* Room: api/ */
/* Second pass over a dialect's tables, in its dialect.c: thunks, rows, error
 * texts, as `endpoint_rows`, `error_texts`, `class_texts`, `event_texts` and
 * `unique_texts`; DIALECT_TABLES puts them into a struct dialect. A thunk is
 * named by its handler and line, since two rows may share a handler: a macro of
 * endpoints.def may be several rows, of different handlers. */
#include "endpoint.h"

#define MOUNT(listener, prefix, auth, form, ...)
#define ENDPOINT(methods, path, verb, handler, in, out, status, scope, flags, doc) \
    static enum err CAT(thunk_##handler##_, __LINE__)(struct req *r, \
                                                      const void *p) \
    { return handler(r, (const struct in *)p); }
#define VARIANT(verb, encoding, in, out)
#define ALSO_OUT(path, record)
#define EXAMPLE(path, setup, json, ...)
#include ENDPOINT_FILE
#undef MOUNT
#undef ENDPOINT
#undef VARIANT
#undef ALSO_OUT
#undef EXAMPLE

#define MOUNT(listener_, prefix_, auth_, form_, ...) \
    { .kind = ROW_MOUNT, .listener = listener_, .prefix = prefix_, \
      .auth = auth_, .form = &form_, __VA_ARGS__ },
#define ENDPOINT(methods_, path_, verb_, handler_, in_, out_, status_, scope_, flags_, doc_) \
    { .kind = ROW_ENDPOINT, .methods = methods_, .path = path_, \
      .verb = #verb_, .handler = CAT(thunk_##handler_##_, __LINE__), \
      .in = &in_##_rec, .checks = &in_##_checks, .out = &out_##_rec, \
      .status = status_, .scope = scope_, .flags = flags_, .doc = doc_ },
#define VARIANT(verb_, encoding_, in_, out_) \
    { .kind = ROW_VARIANT, .verb = #verb_, .encoding = #encoding_, \
      .in = &in_##_rec, .checks = &in_##_checks, .out = &out_##_rec },
#define ALSO_OUT(path_, record_) \
    { .kind = ROW_ALSO_OUT, .path = path_, .out = &record_##_rec },
#define EXAMPLE(path_, setup_, json_, ...) \
    { .kind = ROW_EXAMPLE, .path = path_, .setup = setup_, .json = json_, \
      __VA_ARGS__ },
static const struct row endpoint_rows[] = {
#include ENDPOINT_FILE
};
#undef MOUNT
#undef ENDPOINT
#undef VARIANT
#undef ALSO_OUT
#undef EXAMPLE

#define ERROR_ROW(name, err_, http_, code_, text_, ...) \
    { .id = name, .err = ERR_##err_, .http = http_, .code = code_, \
      .text = text_, __VA_ARGS__ },
#define ERROR(id, err, http, code, text, ...) \
    [id] = ERROR_ROW(#id, err, http, code, text, __VA_ARGS__)
#define DEFAULT(err, http, code, text, ...)
#define ON(event, err, http, code, text, ...)
#define UNIQUE(index, id)
static const struct error_text error_texts[] = {
#include ERROR_FILE
};
#undef ERROR
#undef DEFAULT
#define ERROR(id, err, http, code, text, ...)
#define DEFAULT(err, http, code, text, ...) \
    [ERR_##err] = ERROR_ROW("DEFAULT_" #err, err, http, code, text, __VA_ARGS__)
static const struct error_text class_texts[ERR__MAX] = {
#include ERROR_FILE
};
#undef DEFAULT
#undef ON
#define DEFAULT(err, http, code, text, ...)
#define ON(event, err, http, code, text, ...) \
    [EVENT_##event] = ERROR_ROW("ON_" #event, err, http, code, text, __VA_ARGS__)
static const struct error_text event_texts[EVENT__MAX] = {
#include ERROR_FILE
};
#undef ON
#undef UNIQUE
#define ON(event, err, http, code, text, ...)
#define UNIQUE(index_, id_) { .index = index_, .error = id_ },
static const struct unique_text unique_texts[] = {
#include ERROR_FILE
    { NULL, -1 }
};
#undef ERROR
#undef DEFAULT
#undef ON
#undef UNIQUE
#undef ERROR_ROW

#define DIALECT_TABLES \
    .rows = endpoint_rows, .n_rows = COUNT(endpoint_rows), \
    .errors = error_texts, .n_errors = COUNT(error_texts), \
    .by_class = class_texts, .by_event = event_texts, \
    .uniques = unique_texts
