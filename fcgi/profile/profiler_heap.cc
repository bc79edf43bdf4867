// MallocExtension has no C entry point for these two; C++ names its functions
// in a way of its own.
#include "profiler_heap.h"

#include <cxxabi.h>
#include <gperftools/malloc_extension.h>

#include <cstdlib>
#include <cstring>
#include <string>

static char *
copy(const std::string &text, size_t *n)
{
    char *p = static_cast<char *>(malloc(text.size() + 1));

    if (p == nullptr)
        return nullptr;
    memcpy(p, text.c_str(), text.size() + 1);
    *n = text.size();
    return p;
}

char *
profiler_heap_sample(size_t *n)
{
    std::string text;

    MallocExtension::instance()->GetHeapSample(&text);
    return copy(text, n);
}

char *
profiler_heap_growth(size_t *n)
{
    std::string text;

    MallocExtension::instance()->GetHeapGrowthStacks(&text);
    return copy(text, n);
}

char *
profiler_demangle(const char *name)
{
    if (strncmp(name, "_Z", 2) != 0) // "f" alone would be the type float
        return nullptr;
    return abi::__cxa_demangle(name, nullptr, nullptr, nullptr);
}
