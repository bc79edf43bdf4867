/* The symbol tables of the executable and its libraries, read from their ELF
 * files. dladdr and backtrace_symbols know no static function, so the files
 * themselves are read: .symtab, or .dynsym where that was stripped. */
#include "symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

struct symbol {
    uint64_t start, end; /* end == start: the size is not known */
    const char *name;    /* in a mapped file, which stays mapped */
};

struct mapped {
    const unsigned char *p;
    size_t n;
};

/* Where a file's code is in this process. */
struct object {
    struct mapped file;
    uint64_t start, end;
    char name[48];
};

static struct {
    pthread_mutex_t lock;
    struct symbol *v;
    size_t n, cap;
    struct object *object;
    size_t n_objects;
    unsigned long long adds, subs; /* of dl_iterate_phdr, when loaded */
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

static bool
inside(const struct mapped *m, uint64_t off, uint64_t n)
{
    return off <= m->n && n <= m->n - off;
}

static void
add(uint64_t start, uint64_t size, const char *name)
{
    if (table.n == table.cap) {
        size_t cap = table.cap == 0 ? 4096 : table.cap * 2;
        struct symbol *v = realloc(table.v, cap * sizeof(*v));

        if (v == NULL)
            return;
        table.v = v;
        table.cap = cap;
    }
    table.v[table.n++] = (struct symbol){ start, start + size, name };
}

static void
add_section(const struct mapped *m, const ElfW(Shdr) * syms,
            const ElfW(Shdr) * names, uint64_t base)
{
    const char *text = (const char *)m->p + names->sh_offset;
    size_t n = syms->sh_size / sizeof(ElfW(Sym));

    for (size_t i = 0; i < n; i++) {
        ElfW(Sym) s;

        memcpy(&s, m->p + syms->sh_offset + i * sizeof(s), sizeof(s));
        if ((ELF64_ST_TYPE(s.st_info) != STT_FUNC &&
             ELF64_ST_TYPE(s.st_info) != STT_GNU_IFUNC) ||
            s.st_value == 0 || s.st_name >= names->sh_size)
            continue;
        if (memchr(text + s.st_name, '\0', names->sh_size - s.st_name) != NULL)
            add(base + s.st_value, s.st_size, text + s.st_name);
    }
}

/* The sections' table, checked against the file's size; NULL when absurd. */
static const ElfW(Shdr) *
    sections(const struct mapped *m, const ElfW(Ehdr) * eh)
{
    if (m->n < sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0 ||
        eh->e_shentsize != sizeof(ElfW(Shdr)) || eh->e_shoff % 8 != 0 ||
        !inside(m, eh->e_shoff, (uint64_t)eh->e_shnum * sizeof(ElfW(Shdr))))
        return NULL;
    return (const void *)(m->p + eh->e_shoff);
}

static bool
add_type(const struct mapped *m, uint32_t type, uint64_t base)
{
    const ElfW(Ehdr) *eh = (const void *)m->p;
    const ElfW(Shdr) *sh = sections(m, eh);
    bool found = false;

    for (size_t i = 0; sh != NULL && i < eh->e_shnum; i++) {
        if (sh[i].sh_type != type || sh[i].sh_link >= eh->e_shnum)
            continue;
        if (!inside(m, sh[i].sh_offset, sh[i].sh_size) ||
            !inside(m, sh[sh[i].sh_link].sh_offset, sh[sh[i].sh_link].sh_size))
            continue;
        add_section(m, &sh[i], &sh[sh[i].sh_link], base);
        found = true;
    }
    return found;
}

static bool
map_file(const char *path, struct mapped *m)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *p = MAP_FAILED;

    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && st.st_size > 0)
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    if (p == MAP_FAILED)
        return false;
    *m = (struct mapped){ p, (size_t)st.st_size };
    return true;
}

static void
note_extent(struct object *o, const struct dl_phdr_info *info)
{
    o->start = UINT64_MAX;
    o->end = 0;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        uint64_t start = info->dlpi_addr + ph->p_vaddr;

        if (ph->p_type != PT_LOAD)
            continue;
        if (start < o->start)
            o->start = start;
        if (start + ph->p_memsz > o->end)
            o->end = start + ph->p_memsz;
    }
}

static void
note_name(struct object *o, const char *path)
{
    const char *base = strrchr(path, '/');
    char self[4096] = "";

    if (str_empty(path) &&
        readlink("/proc/self/exe", self, sizeof(self) - 1) > 0)
        base = strrchr(self, '/');
    (void)snprintf(o->name, sizeof(o->name), "%s",
                   base == NULL ? path : base + 1);
}

static int
add_object(struct dl_phdr_info *info, size_t size, void *ctx)
{
    const char *path =
        str_empty(info->dlpi_name) ? "/proc/self/exe" : info->dlpi_name;
    struct mapped m;
    struct object *o;

    (void)size;
    (void)ctx;
    table.adds = info->dlpi_adds;
    table.subs = info->dlpi_subs;
    if (path[0] != '/' || !map_file(path, &m)) /* the vdso has no file */
        return 0;
    o = realloc(table.object, (table.n_objects + 1) * sizeof(*o));
    if (o == NULL) {
        (void)munmap((void *)(uintptr_t)m.p, m.n);
        return 0;
    }
    table.object = o;
    o += table.n_objects++;
    o->file = m;
    note_extent(o, info);
    note_name(o, info->dlpi_name);
    if (!add_type(&m, SHT_SYMTAB, info->dlpi_addr))
        (void)add_type(&m, SHT_DYNSYM, info->dlpi_addr);
    return 0;
}

static int
by_start(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;

    return x->start < y->start ? -1 : x->start > y->start;
}

static void
unload(void)
{
    for (size_t i = 0; i < table.n_objects; i++) {
        const struct mapped *m = &table.object[i].file;

        (void)munmap((void *)(uintptr_t)m->p, m->n);
    }
    table.n_objects = 0;
    table.n = 0;
}

static int
see_changes(struct dl_phdr_info *info, size_t size, void *ctx)
{
    bool *changed = ctx;

    (void)size;
    *changed = info->dlpi_adds != table.adds || info->dlpi_subs != table.subs;
    return 1;
}

size_t
symbols_lock(void)
{
    bool changed = true;

    (void)pthread_mutex_lock(&table.lock);
    (void)dl_iterate_phdr(see_changes, &changed);
    if (table.n == 0 || changed) {
        unload();
        (void)dl_iterate_phdr(add_object, NULL);
        qsort(table.v, table.n, sizeof(*table.v), by_start);
        log_debug("symbols.loaded functions=%zu files=%zu", table.n,
                  table.n_objects);
    }
    return table.n;
}

void
symbols_unlock(void)
{
    (void)pthread_mutex_unlock(&table.lock);
}

/* Greatest start that is not past the address: callers send return addresses
 * less one, so equality would find nothing. */
const char *
symbols_find(uint64_t address)
{
    size_t lo = 0, hi = table.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (table.v[mid].start <= address)
            lo = mid + 1;
        else
            hi = mid;
    }
    /* aliases share a start; one of them may lack its size */
    for (size_t i = lo; i > 0 && lo - i < 8; i--)
        if (address < table.v[i - 1].end ||
            (table.v[i - 1].end == table.v[i - 1].start &&
             table.v[i - 1].start == address))
            return table.v[i - 1].name;
    return NULL;
}

const char *
symbols_file(uint64_t address)
{
    for (size_t i = 0; i < table.n_objects; i++)
        if (address >= table.object[i].start && address < table.object[i].end)
            return table.object[i].name;
    return NULL;
}
