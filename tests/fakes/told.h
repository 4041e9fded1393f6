/* How the fake libraries are told what to do: words separated by spaces in the environment variable that TOLD_BY names. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The text after `key=` in TOLD_BY up to the next space; NULL without one. */
static const char *word(const char *key) {
    static char found[1024];
    const char *rest = getenv(TOLD_BY);
    size_t length = strlen(key);
    while (rest && *rest) {
        size_t size = strcspn(rest, " ");
        if (size > length && !strncmp(rest, key, length) && rest[length] == '=' && size < sizeof found) {
            memcpy(found, rest + length + 1, size - length - 1);
            found[size - length - 1] = 0;
            return found;
        }
        rest += size;
        rest += strspn(rest, " ");
    }
    return NULL;
}

static int number(const char *key, int otherwise) {
    const char *found = word(key);
    return found ? (int)strtol(found, NULL, 0) : otherwise;
}

static int named(const char *key, const char *function, int device) {
    char with_device[256];
    const char *found = word(key);
    snprintf(with_device, sizeof with_device, "%s@%d", function, device);
    return found && (!strcmp(found, function) || !strcmp(found, with_device));
}

/* What is wanted of this call; 0 to go on. */
static int told(const char *function, int device) {
    char key[256];
    if (named("hang", function, device)) for (;;) pause();
    if (named("crash", function, device)) raise(SIGSEGV);
    if (named("abort", function, device)) abort();
    if (named("exit", function, device)) _exit(7);
    snprintf(key, sizeof key, "%s@%d", function, device);
    return number(key, number(function, 0));
}
