/* GET: the pages that tell a person what to send; below the id of a table that
 * is sent, its files. */
#include "kunlun/table/table.h"
#include "kunlun/node_mgr/node_mgr.h"

static const struct kunlun_page pages[] = {
    { "/",
      "<!DOCTYPE html>\n<title>node_mgr</title>\n<h1>node_mgr</h1>\n"
      "<p>POST a JSON object whose job_type says what is wanted, to any path."
      "\n<ul>\n<li><a href=\"/para\">jobs</a>\n"
      "<li><a href=\"/file\">a file with parameters</a>\n</ul>\n" },
    { "/para",
      "<!DOCTYPE html>\n<title>node_mgr: jobs</title>\n<h1>Jobs</h1>\n"
      "<pre>metagate post http://ADDRESS:9998 "
      "'{\"ver\":\"0.1\",\"job_type\":\"get_info\"}'</pre>\n"
      "<p>A job that takes longer is answered at once; ask for what became of"
      " it by get_status and its job_id. <code>metagate routes</code> lists"
      " every job_type.\n" },
    { "/file",
      "<!DOCTYPE html>\n<title>node_mgr: a file</title>\n<h1>A file</h1>\n"
      "<pre>metagate post http://ADDRESS:9998 "
      "'{\"ver\":\"0.1\",\"file_type\":\"mysql\"}' ./mysql_shard1.json</pre>\n"
      "<p>multipart/form-data of two parts: parameters, and the file.\n" },
};

enum err
node_page_get(struct req *r, const struct none *in)
{
    enum err e;

    (void)in;
    e = kunlun_page_send(r, pages, COUNT(pages));
    if (e == ERR_NOT_FOUND)
        e = table_get(r, r->path + 1);
    return e == ERR_NOT_FOUND ? req_fail(r, NODE_NO_PATH, ARGS()) : e;
}
