/* A libnvidia-ml.so.1 that answers as it is told by the environment variable FAKE_NVML: words separated by spaces.
 *
 *   count=8                        number of devices (1)
 *   FUNCTION=CODE                  that function answers the NVML code; FUNCTION@3=CODE for device 3 alone
 *   hang=FUNCTION  crash=FUNCTION  abort=FUNCTION  exit=FUNCTION      likewise, with @3 too
 *   driver=550.54.14  cuda=12040  cc=9.0  mode=3  ecc=2  persistence=0
 *   total=81920  used=512          MiB
 *   processes=4711:300,4712:-1     pid:MiB; -1 where the driver does not tell
 *   mig=1  instances=2             MIG enabled, with so many instances
 *
 * Signatures and sizes: the comments and types of nvml.h.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct { int device, instance; } *handle;
static struct { int device, instance; } handles[64 * 8];

/* The text after `key=` in FAKE_NVML up to the next space; NULL without one. */
static const char *word(const char *key) {
    static char found[1024];
    const char *rest = getenv("FAKE_NVML");
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
    return found ? atoi(found) : otherwise;
}

static int named(const char *key, const char *function, int device) {
    char with_device[256];
    const char *found = word(key);
    snprintf(with_device, sizeof with_device, "%s@%d", function, device);
    return found && (!strcmp(found, function) || !strcmp(found, with_device));
}

/* What FAKE_NVML wants of this call; 0 to go on. */
static int told(const char *function, int device) {
    char key[256];
    if (named("hang", function, device)) for (;;) pause();
    if (named("crash", function, device)) raise(SIGSEGV);
    if (named("abort", function, device)) abort();
    if (named("exit", function, device)) _exit(7);
    snprintf(key, sizeof key, "%s@%d", function, device);
    return number(key, number(function, 0));
}

#define TOLD(device) do { int code = told(__func__, device); if (code) return code; } while (0)

static int put(char *to, unsigned int size, const char *text) {
    if (size <= strlen(text)) return 7;
    strcpy(to, text);
    return 0;
}

int nvmlInitWithFlags(unsigned int flags) { (void)flags; TOLD(-1); return 0; }
int nvmlShutdown(void) { TOLD(-1); return 0; }
const char *nvmlErrorString(int code) { (void)code; return "as the fake was told"; }
int nvmlSystemGetDriverVersion(char *to, unsigned int size) {
    TOLD(-1);
    return put(to, size, word("driver") ? word("driver") : "550.54.14");
}
int nvmlSystemGetNVMLVersion(char *to, unsigned int size) { TOLD(-1); return put(to, size, "12.550.54.14"); }
int nvmlSystemGetCudaDriverVersion(int *to) { TOLD(-1); *to = number("cuda", 12040); return 0; }
int nvmlSystemGetCudaDriverVersion_v2(int *to) { TOLD(-1); *to = number("cuda", 12040); return 0; }
int nvmlDeviceGetCount_v2(unsigned int *to) { TOLD(-1); *to = (unsigned)number("count", 1); return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, handle *to) {
    TOLD((int)index);
    if (index >= 64 || (int)index >= number("count", 1)) return 2;
    handles[index * 8].device = (int)index;
    handles[index * 8].instance = 0;
    *to = (handle)&handles[index * 8];
    return 0;
}
int nvmlDeviceGetName(handle h, char *to, unsigned int size) { TOLD(h->device); return put(to, size, "Fake H100"); }
int nvmlDeviceGetUUID(handle h, char *to, unsigned int size) {
    char text[96];
    TOLD(h->device);
    if (h->instance) snprintf(text, sizeof text, "MIG-%08x-%04x-5000-8000-000000000000", h->device + 1, h->instance);
    else snprintf(text, sizeof text, "GPU-%08x-0000-4000-8000-000000000000", h->device + 1);
    return put(to, size, text);
}
int nvmlDeviceGetPciInfo_v3(handle h, char *to) { /* nvmlPciInfo_t: the bus id stands at byte 36 */
    TOLD(h->device);
    memset(to, 0, 68);
    snprintf(to + 36, 32, "00000000:%02X:00.0", h->device + 1);
    return 0;
}
int nvmlDeviceGetCudaComputeCapability(handle h, int *major, int *minor) {
    const char *text;
    TOLD(h->device);
    text = word("cc") ? word("cc") : "9.0";
    *major = atoi(text);
    *minor = strchr(text, '.') ? atoi(strchr(text, '.') + 1) : 0;
    return 0;
}
int nvmlDeviceGetMemoryInfo(handle h, unsigned long long *to) {
    unsigned long long total, used;
    TOLD(h->device);
    total = (unsigned long long)number("total", 81920) << (h->instance ? 18 : 20);
    used = (unsigned long long)number("used", 512) << 20;
    to[0] = total; to[1] = total - used; to[2] = used;
    return 0;
}
int nvmlDeviceGetMemoryInfo_v2(handle h, unsigned long long *to) { /* version, total, reserved, free, used */
    unsigned long long total, used;
    TOLD(h->device);
    if ((unsigned int)to[0] != 0x02000028u) return 25;
    total = (unsigned long long)number("total", 81920) << (h->instance ? 18 : 20);
    used = (unsigned long long)number("used", 512) << 20;
    to[1] = total; to[2] = 0; to[3] = total - used; to[4] = used;
    return 0;
}

struct process { unsigned int pid; unsigned long long used; unsigned int gi, ci; };

static int processes(unsigned int *count, struct process *to) {
    unsigned int found = 0, room = *count;
    const char *rest = word("processes");
    while (rest && *rest) {
        char *end;
        unsigned int pid = (unsigned)strtoul(rest, &end, 10);
        long used = *end == ':' ? strtol(end + 1, &end, 10) : -1;
        if (to && found < room) {
            to[found].pid = pid;
            to[found].used = used < 0 ? ~0ull : (unsigned long long)used << 20;
            to[found].gi = to[found].ci = ~0u;
        }
        found++;
        rest = *end == ',' ? end + 1 : NULL;
    }
    *count = found;
    return found > room || (found && !to) ? 7 : 0;
}
int nvmlDeviceGetComputeRunningProcesses_v3(handle h, unsigned int *count, struct process *to) {
    TOLD(h->device);
    return processes(count, to);
}
int nvmlDeviceGetComputeRunningProcesses_v2(handle h, unsigned int *count, struct process *to) {
    TOLD(h->device);
    return processes(count, to);
}
int nvmlDeviceGetGraphicsRunningProcesses_v3(handle h, unsigned int *count, struct process *to) {
    (void)to; TOLD(h->device); *count = 0; return 0;
}
int nvmlDeviceGetMPSComputeRunningProcesses_v3(handle h, unsigned int *count, struct process *to) {
    (void)to; TOLD(h->device); *count = 0; return 0;
}
int nvmlDeviceGetComputeMode(handle h, unsigned int *to) { TOLD(h->device); *to = (unsigned)number("mode", 0); return 0; }
int nvmlDeviceGetPersistenceMode(handle h, unsigned int *to) {
    TOLD(h->device);
    *to = (unsigned)number("persistence", 1);
    return 0;
}
int nvmlDeviceGetEccMode(handle h, unsigned int *current, unsigned int *pending) {
    TOLD(h->device);
    *current = *pending = 1;
    return 0;
}
int nvmlDeviceGetTotalEccErrors(handle h, int kind, int counter, unsigned long long *to) {
    (void)kind; (void)counter; TOLD(h->device);
    *to = (unsigned long long)number("ecc", 0);
    return 0;
}
int nvmlDeviceGetMigMode(handle h, unsigned int *current, unsigned int *pending) {
    TOLD(h->device);
    *current = *pending = (unsigned)number("mig", 0);
    return 0;
}
int nvmlDeviceGetMaxMigDeviceCount(handle h, unsigned int *to) { TOLD(h->device); *to = 7; return 0; }
int nvmlDeviceGetMigDeviceHandleByIndex(handle h, unsigned int index, handle *to) {
    TOLD(h->device);
    if ((int)index >= number("instances", 0)) return 6; /* a gap: NVML_ERROR_NOT_FOUND */
    handles[h->device * 8 + 1 + index].device = h->device;
    handles[h->device * 8 + 1 + index].instance = (int)index + 1;
    *to = (handle)&handles[h->device * 8 + 1 + index];
    return 0;
}
