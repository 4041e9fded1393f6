/* A libtensorflow_framework.so with nothing in it but the loader, under TensorFlow's own (mangled) names.
 *
 * A Status is returned through a hidden pointer, as the C++ class is; a structure of this size is returned like that in C.
 * FAKE_LOADER steers it: "crash=SONAME", "hang=SONAME", "refuse=SONAME".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct status { size_t words[8]; };

static int told(const char *what, const char *soname) {
    const char *steer = getenv("FAKE_LOADER");
    char wanted[256];
    snprintf(wanted, sizeof wanted, "%s=%s", what, soname);
    return steer && !strcmp(steer, wanted);
}

struct status LOADER(const char *soname, void **handle) {
    struct status status = {{0}};
    if (told("crash", soname)) raise(SIGSEGV);
    while (told("hang", soname)) pause();
    *handle = told("refuse", soname) ? NULL : dlopen(soname, RTLD_NOW | RTLD_LOCAL);
    status.words[0] = *handle ? 1 : (size_t)strdup("a message"); /* 1: absl's inlined OK */
    return status;
}

#define HANDLE(name) struct status name(void) { struct status status = {{0}}; return status; }
HANDLE(_ZN3tsl8internal9DsoLoader23GetCudaRuntimeDsoHandleEv)
HANDLE(_ZN3tsl8internal9DsoLoader18GetCublasDsoHandleEv)
HANDLE(_ZN3tsl8internal9DsoLoader20GetCublasLtDsoHandleEv)
HANDLE(_ZN3tsl8internal9DsoLoader20GetCusolverDsoHandleEv)
HANDLE(_ZN3tsl8internal9DsoLoader17GetCudnnDsoHandleEv)
HANDLE(_ZN3tsl8internal9DsoLoader16GetNcclDsoHandleEv)

#ifndef NCCL_LINKED_IN_NOT_AT_ALL
int ncclGetUniqueId(void *id) { return id != NULL; }
#endif
#ifdef NCCL_LINKED_IN
int ncclDebugLevel = -1;
#endif

struct status _ZN3tsl8internal9DsoLoader22TryDlopenCUDALibrariesEv(void) {
    static const char *required[] = {"libcudart.so.97", "libcublas.so.97", "libcublasLt.so.97", "libcusolver.so.97", "libcudnn.so.97"};
    struct status status = {{1}};
    for (int i = 0; i < 5; i++)
        if (!dlopen(required[i], RTLD_NOW | RTLD_LOCAL)) status.words[0] = (size_t)&required[i];
    return status;
}
