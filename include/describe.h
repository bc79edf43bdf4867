/* Room: describe/ */
/* What metagate says about itself, made from the tables: the endpoints of all
 * dialects, as people, clients and tests want them, and what was counted.
 * After dispatch_init. */
#ifndef MG_DESCRIBE_H
#define MG_DESCRIBE_H

#include "buf.h"

void routes_text(struct buf *b);     /* a line per endpoint */
void routes_markdown(struct buf *b); /* the API reference */
void routes_openapi(struct buf *b);  /* OpenAPI 3.0, JSON */
void routes_tests(struct buf *b);    /* what generated tests read, JSON */

/* The Prometheus text of the whole host. */
void metrics_text(struct buf *b);

/* Of any such text: its type, and what stands before the values of a metric;
 * type "counter", "gauge" or "histogram". */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
void metrics_head(struct buf *b, const char *name, const char *type,
                  const char *help);

/* The alert rules as a Prometheus rules file (YAML). */
void metrics_rules(struct buf *b);

/* A dashboard of Grafana with a panel for each metric, JSON. */
void describe_dashboard(struct buf *b);

#endif
