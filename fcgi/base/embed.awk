# Text files to C: awk -v folder=sql -f embed.awk sql/a.sql sql/b.sql
# gives embed_sql[] of include/embed.h, in the order of the arguments.

BEGIN {
    print "/* Made by fcgi/base/embed.awk. */"
    print "#include \"embed.h\"\n"
    for (i = 1; i < ARGC; i++)
        embed(ARGV[i])
    name = folder
    gsub("/", "_", name)
    printf "const struct embedded embed_%s[] = {\n", name
    for (i = 1; i < ARGC; i++)
        printf "    { \"%s\", file_%d, sizeof(file_%d) - 1 },\n",
            substr(ARGV[i], length(folder) + 2), i, i
    print "    { NULL, NULL, 0 },\n};"
    exit
}

function embed(path,    line, state)
{
    printf "static const char file_%d[] = /* %s */\n    \"\"", i, path
    while ((state = (getline line < path)) > 0) {
        gsub(/[\\"?]/, "\\\\&", line) # ? too: -std=c17 reads trigraphs
        printf "\n    \"%s\\n\"", line
    }
    print ";"
    if (state < 0) {
        print "cannot read " path > "/dev/stderr"
        exit 1
    }
    close(path)
}
