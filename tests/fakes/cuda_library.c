/* One of NVIDIA's libraries, reduced to the question for its version: -DPROPERTY=cudnnGetProperty -DVERSION=9,28,0. */
#ifdef PROPERTY
int PROPERTY(int part, int *value) {
    static const int version[] = {VERSION};
    *value = version[part];
    return 0;
}
#endif
#ifdef NUMBER
int NUMBER(int *value) {
    *value = VERSION;
    return 0;
}
#endif
#ifdef CUDART
unsigned long cudnnGetCudartVersion(void) { return CUDART; }
#endif
int nothing_else;
