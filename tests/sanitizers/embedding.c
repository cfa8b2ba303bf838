/* libFuzzer with Python in it: its main program, its mutations and its watching of branches, and the
   target in `kernel_target.py`, which is called with the bytes of one input.

   The kernel that Python loads is built with the coverage of clang, which finds the callbacks of
   libFuzzer in this program, and `watched_memcmp`, from which libFuzzer learns words that the kernel
   looks for: from the memcmp of all of Python it would learn little else. Built by `sanitized_build.py`; PYTHON is the venv's interpreter. An
   exception of the target is a crash, so that libFuzzer keeps the input. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

static PyObject *target;

void __sanitizer_weak_hook_memcmp(void *caller, const void *, const void *, size_t, int result);

/* Byte for byte, so that AddressSanitizer sees each; that is no branch of the kernel's. */
__attribute__((no_sanitize("coverage")))
int watched_memcmp(const void *one, const void *other, size_t size) {
    const unsigned char *a = one, *b = other;
    int result = 0;
    for (size_t n = 0; n < size; n++)
        if (result == 0) result = a[n] - b[n];
    __sanitizer_weak_hook_memcmp(__builtin_return_address(0), one, other, size, result);
    return result;
}

static void require(int fine) {
    if (fine) return;
    PyErr_Print();
    abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.parse_argv = 0;
    config.install_signal_handlers = 0; /* they are libFuzzer's */
    PyConfig_SetBytesString(&config, &config.program_name, PYTHON);
    PyStatus status = Py_InitializeFromConfig(&config);
    if (PyStatus_Exception(status)) Py_ExitStatusException(status);
    PyConfig_Clear(&config);
    PyObject *module = PyImport_ImportModule("tests.sanitizers.kernel_target");
    require(module != NULL);
    target = PyObject_GetAttrString(module, "compiled_alone");
    require(target != NULL);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    PyObject *done = PyObject_CallFunction(target, "y#", bytes, (Py_ssize_t)size);
    require(done != NULL);
    Py_DECREF(done);
    return 0;
}
