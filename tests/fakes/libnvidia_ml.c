/* A libnvidia-ml.so.1 that answers as it is told by the environment variable FAKE_NVML: words separated by spaces.
 *
 *   count=8                        number of devices (1)
 *   FUNCTION=CODE                  that function answers the NVML code; FUNCTION@3=CODE for device 3 alone
 *   hang=FUNCTION  crash=FUNCTION  abort=FUNCTION  exit=FUNCTION      likewise, with @3 too
 *   driver=550.54.14  cuda=12040  cc=9.0  mode=3  ecc=2  persistence=0
 *   remapped=1 remap_pending=1 remap_failed=1        rows of memory
 *   total=81920  used=512          MiB
 *   reserved=600                   MiB
 *   bytes=TOTAL:USED:FREE          of memory, as they are given, however strange
 *   name=FakeH100                  the bytes of the environment variable
 *   processes=4711:300,4712:-1     pid:MiB; -1 where the driver does not tell
 *   growing=3                      so many times a list of processes is longer than was just said; -1 always
 *   called=/usr/bin/python         every process's name
 *   retired=1                      pages pending retirement
 *   clocks=72                      the bits of the reasons why clocks are low; clocks_then=4 from the second time on
 *   pcie=3:5:8:16                  generation:most:width:most
 *   nvlink=6:12                    active links of all; without it there is no NVLink
 *   fabric=STATE:ERROR:MASK:SUMMARY      as in nvml.h; without it not supported
 *   virtual=2                      the virtualization mode
 *   mig=1  instances=2             MIG enabled, with so many instances
 *
 * Signatures and sizes: the comments and types of nvml.h.
 */
#define TOLD_BY "FAKE_NVML"
#include "told.h"

typedef struct { int device, instance; } *handle;
enum { MOST = 128 };
static struct { int device, instance; } handles[MOST * 8];

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
    if (index >= MOST || (int)index >= number("count", 1)) return 2;
    handles[index * 8].device = (int)index;
    handles[index * 8].instance = 0;
    *to = (handle)&handles[index * 8];
    return 0;
}
int nvmlDeviceGetName(handle h, char *to, unsigned int size) {
    TOLD(h->device);
    return put(to, size, word("name") ? word("name") : "Fake H100");
}
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

/* total, used, free and reserved bytes */
static void memory(handle h, unsigned long long *to) {
    const char *given;
    int bits = h->instance ? 18 : 20;
    to[0] = (unsigned long long)number("total", 81920) << bits;
    to[1] = (unsigned long long)number("used", 512) << 20;
    to[2] = to[0] - to[1];
    to[3] = (unsigned long long)number("reserved", 0) << 20;
    given = word("bytes");
    if (given) sscanf(given, "%llu:%llu:%llu", &to[0], &to[1], &to[2]);
}
int nvmlDeviceGetMemoryInfo(handle h, unsigned long long *to) {
    unsigned long long found[4];
    TOLD(h->device);
    memory(h, found);
    to[0] = found[0]; to[1] = found[2]; to[2] = found[1];
    return 0;
}
int nvmlDeviceGetMemoryInfo_v2(handle h, unsigned long long *to) { /* version, total, reserved, free, used */
    unsigned long long found[4];
    TOLD(h->device);
    if ((unsigned int)to[0] != 0x02000028u) return 25;
    memory(h, found);
    to[1] = found[0]; to[2] = found[3]; to[3] = found[2]; to[4] = found[1];
    return 0;
}

struct process { unsigned int pid; unsigned long long used; unsigned int gi, ci; };

static int processes(unsigned int *count, struct process *to) {
    static int grown = 0;
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
    if (to && found && grown != number("growing", 0)) {
        grown++;
        *count = found + room;
        return 7;
    }
    *count = found;
    return found > room || (found && !to) ? 7 : 0;
}
int nvmlSystemGetProcessName(unsigned int pid, char *to, unsigned int size) {
    (void)pid; TOLD(-1);
    return word("called") ? put(to, size, word("called")) : 6;
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
int nvmlDeviceGetRemappedRows(handle h, unsigned int *corrected, unsigned int *uncorrected, unsigned int *pending,
                              unsigned int *failed) {
    TOLD(h->device);
    *corrected = 0;
    *uncorrected = (unsigned)number("remapped", 0);
    *pending = (unsigned)number("remap_pending", 0);
    *failed = (unsigned)number("remap_failed", 0);
    return 0;
}
int nvmlDeviceGetRetiredPagesPendingStatus(handle h, unsigned int *to) {
    TOLD(h->device);
    *to = (unsigned)number("retired", 0);
    return 0;
}

static int clocks(unsigned long long *to) {
    static int asked = 0;
    *to = (unsigned long long)number("clocks", 1);
    if (asked++ && word("clocks_then")) *to = (unsigned long long)number("clocks_then", 0);
    return 0;
}
int nvmlDeviceGetCurrentClocksEventReasons(handle h, unsigned long long *to) { TOLD(h->device); return clocks(to); }
int nvmlDeviceGetCurrentClocksThrottleReasons(handle h, unsigned long long *to) { TOLD(h->device); return clocks(to); }

/* The number in the given place of `key=1:2:3`. */
static unsigned int part(const char *key, int place, unsigned int otherwise) {
    const char *found = word(key);
    while (found && place--) {
        found = strchr(found, ':');
        if (found) found++;
    }
    return found ? (unsigned)strtoul(found, NULL, 0) : otherwise;
}
int nvmlDeviceGetCurrPcieLinkGeneration(handle h, unsigned int *to) { TOLD(h->device); *to = part("pcie", 0, 5); return 0; }
int nvmlDeviceGetMaxPcieLinkGeneration(handle h, unsigned int *to) { TOLD(h->device); *to = part("pcie", 1, 5); return 0; }
int nvmlDeviceGetCurrPcieLinkWidth(handle h, unsigned int *to) { TOLD(h->device); *to = part("pcie", 2, 16); return 0; }
int nvmlDeviceGetMaxPcieLinkWidth(handle h, unsigned int *to) { TOLD(h->device); *to = part("pcie", 3, 16); return 0; }
int nvmlDeviceGetNvLinkState(handle h, unsigned int link, unsigned int *to) {
    TOLD(h->device);
    if (!word("nvlink")) return 3;
    if (link >= part("nvlink", 1, 0)) return 2;
    *to = link < part("nvlink", 0, 0);
    return 0;
}
/* version, uuid, status, clique, state, mask, summary: the oldest form begins with the uuid and ends with the state */
static int fabric(unsigned int *to) {
    if (!word("fabric")) return 3;
    to[4] = part("fabric", 1, 0);
    to[6] = part("fabric", 0, 0);
    return 0;
}
int nvmlDeviceGetGpuFabricInfoV(handle h, unsigned int *to) {
    TOLD(h->device);
    if ((to[0] >> 24) > (unsigned)number("fabric_version", 3)) return 25;
    if (to[0] != 0x03000028u && to[0] != 0x02000024u) return 2;
    if (fabric(to + 1)) return 3;
    to[8] = part("fabric", 2, 0);
    if (to[0] >> 24 == 3) *(unsigned char *)(to + 9) = (unsigned char)part("fabric", 3, 0);
    return 0;
}
int nvmlDeviceGetGpuFabricInfo(handle h, unsigned int *to) { TOLD(h->device); return fabric(to); }
int nvmlDeviceGetVirtualizationMode(handle h, unsigned int *to) { /* an enumeration: the binding gives eight zeroed bytes */
    TOLD(h->device);
    *to = (unsigned)number("virtual", 0);
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
