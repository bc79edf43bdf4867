/* What cluster_mgr asks a machine before it puts servers there: a job of the
 * machine, whose result is the answer. */
#ifndef KUNLUN_SURVEY_H
#define KUNLUN_SURVEY_H

#include "job.h"
#include "record.h"

/* Of each class the machine's directories, with ';' between them, and which
 * ports are looked at: these many from there on. */
#define SURVEY_ASKED(X, s)                                 \
    X(s, STR, datadir, "datadir", IN | OUT, -)             \
    X(s, STR, logdir, "logdir", IN | OUT, -)               \
    X(s, STR, wal_log_dir, "wal_log_dir", IN | OUT, -)     \
    X(s, STR, comp_datadir, "comp_datadir", IN | OUT, -)   \
    X(s, I32, storage_port, "storage_port", IN | OUT, -)   \
    X(s, I32, computer_port, "computer_port", IN | OUT, -) \
    X(s, I32, storage_ports, "storage_ports", IN | OUT, -) \
    X(s, I32, computer_ports, "computer_ports", IN | OUT, -)
STRUCT(survey_asked, SURVEY_ASKED);

/* MB. */
#define SURVEY_SPACE(X, s)                 \
    X(s, STR, class, "class", IN | OUT, -) \
    X(s, STR, path, "path", IN | OUT, -)   \
    X(s, I64, used, "used", IN | OUT, -)   \
    X(s, I64, free, "free", IN | OUT, -)
STRUCT(survey_space, SURVEY_SPACE);

/* busy: ports where somebody listens, or whose directory is there; wrong: what
 * is no directory for databases (any more). */
#define SURVEY(X, s)                                     \
    X(s, LIST, spaces, "spaces", IN | OUT, survey_space) \
    X(s, LIST, wrong, "wrong", IN | OUT, STR)            \
    X(s, LIST, busy, "busy", IN | OUT, I32)
STRUCT(survey, SURVEY);

extern const struct job_kind kunlun_survey_kind;

#endif
