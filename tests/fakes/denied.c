/* For LD_PRELOAD: opening a file whose path ends in one of the names in FAKE_DENIED (separated by ":") fails with EPERM, as a
 * device control group lets it fail whatever the mode of the file says.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int denied(const char *path) {
    const char *rest = getenv("FAKE_DENIED");
    while (rest && *rest) {
        size_t size = strcspn(rest, ":"), length = strlen(path);
        if (size && length >= size && !strncmp(path + length - size, rest, size)) return 1;
        rest += size;
        rest += *rest == ':';
    }
    return 0;
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...) {                                                                       \
        int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name);                \
        va_list rest;                                                                                                  \
        int mode;                                                                                                      \
        if (denied(path)) { errno = EPERM; return -1; }                                                                \
        va_start(rest, flags);                                                                                         \
        mode = va_arg(rest, int);                                                                                      \
        va_end(rest);                                                                                                  \
        return real(path, flags, mode);                                                                                \
    }
OPEN(open)
OPEN(open64)
