/* A libcuda.so.1 that answers as it is told by the environment variable FAKE_CUDA: words separated by spaces.
 *
 *   count=8                        number of devices (1); as the driver does, 0 makes cuInit answer 100
 *   none=1                         cuInit answers 0 and no device is counted
 *   FUNCTION=CODE                  that function answers the CUresult; FUNCTION@3=CODE for device 3 alone
 *   hang=FUNCTION  crash=FUNCTION  abort=FUNCTION  exit=FUNCTION      likewise, with @3 too
 *   version=12040  cc=9.0  mode=3  integrated=1
 *   total=81920                    MiB
 *   name=Fake_H100                 underscores stand for spaces; "name=raw" gives bytes that are no UTF-8
 *   order=2,0,1                    CUDA's order: the device of NVML behind each ordinal
 *   uuid=9                         the first UUID starts at 9 instead of 1: other devices than NVML's
 *
 * UUIDs and bus addresses agree with fakes/libnvidia_ml.c. Signatures: cuda.h.
 */
#define TOLD_BY "FAKE_CUDA"
#include "told.h"

#define TOLD(device) do { int code = told(__func__, device); if (code) return code; } while (0)

/* NVML's number of the device behind an ordinal: the place in `order`, without one the ordinal itself. */
static int device_of(int ordinal) {
    const char *rest = word("order");
    int place = ordinal;
    while (rest && place-- > 0) rest = strchr(rest, ',') ? strchr(rest, ',') + 1 : NULL;
    return rest ? atoi(rest) : ordinal;
}

int cuGetErrorName(int code, const char **to) {
    if (code == 4711) return 1;
    *to = code == 100 ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR_OF_THE_FAKE";
    return 0;
}
int cuDriverGetVersion(int *to) { TOLD(-1); *to = number("version", 12040); return 0; }
int cuInit(unsigned int flags) {
    (void)flags;
    TOLD(-1);
    return number("count", 1) == 0 ? 100 : 0;
}
int cuDeviceGetCount(int *to) { TOLD(-1); *to = number("none", 0) ? 0 : number("count", 1); return 0; }
int cuDeviceGet(int *to, int ordinal) {
    TOLD(ordinal);
    if (ordinal < 0 || ordinal >= number("count", 1)) return 101;
    *to = ordinal;
    return 0;
}
int cuDeviceGetName(char *to, int size, int device) {
    const char *text = word("name");
    TOLD(device);
    text = text ? text : "Fake_H100";
    snprintf(to, (size_t)size, "%s", strcmp(text, "raw") ? text : "\xff\xfe GPU");
    for (; *to; to++) if (*to == '_') *to = ' ';
    return 0;
}
static void uuid(unsigned char *to, int device) { /* GPU-00000001-0000-4000-8000-000000000000 for device 0 */
    unsigned int first = (unsigned int)(device_of(device) + number("uuid", 1));
    memset(to, 0, 16);
    to[0] = (unsigned char)(first >> 24); to[1] = (unsigned char)(first >> 16);
    to[2] = (unsigned char)(first >> 8); to[3] = (unsigned char)first;
    to[6] = 0x40; to[8] = 0x80;
}
int cuDeviceGetUuid(unsigned char *to, int device) { TOLD(device); uuid(to, device); return 0; }
int cuDeviceGetUuid_v2(unsigned char *to, int device) { TOLD(device); uuid(to, device); return 0; }
int cuDeviceGetPCIBusId(char *to, int size, int device) {
    TOLD(device);
    snprintf(to, (size_t)size, "0000:%02X:00.0", device_of(device) + 1);
    return 0;
}
int cuDeviceGetAttribute(int *to, int attribute, int device) {
    const char *cc;
    TOLD(device);
    cc = word("cc") ? word("cc") : "9.0";
    if (attribute == 75) *to = atoi(cc);
    else if (attribute == 76) *to = strchr(cc, '.') ? atoi(strchr(cc, '.') + 1) : 0;
    else if (attribute == 18) *to = number("integrated", 0);
    else if (attribute == 20) *to = number("mode", 0);
    else return 1;
    return 0;
}
int cuDeviceTotalMem_v2(size_t *to, int device) {
    TOLD(device);
    *to = (size_t)number("total", 81920) << 20;
    return 0;
}
