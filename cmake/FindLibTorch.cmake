# LibTorch without its own CMake package, which insists on a CUDA toolkit. Only libtorch_cpu and
# libc10 are linked. LIBTORCH_ROOT (a folder with include/ and lib/) comes from the cache, the
# environment, or the place where packaging/ installs it.
file(STRINGS ${CMAKE_SOURCE_DIR}/packaging/dependencies _libtorch_pin REGEX "^torch ")
string(REGEX REPLACE "^torch +([^ ]+).*" "\\1" _libtorch_version "${_libtorch_pin}")
set(_libtorch_default "$ENV{HOME}/.cache/plumbline/libtorch-${_libtorch_version}/torch")
if(DEFINED ENV{LIBTORCH_ROOT})
  set(_libtorch_default "$ENV{LIBTORCH_ROOT}")
endif()
set(LIBTORCH_ROOT "${_libtorch_default}" CACHE PATH "Folder with LibTorch's include/ and lib/ (2.6 or newer)")

find_path(LibTorch_INCLUDE_DIR ATen/ATen.h PATHS ${LIBTORCH_ROOT}/include NO_DEFAULT_PATH)
find_library(LibTorch_CPU_LIBRARY torch_cpu PATHS ${LIBTORCH_ROOT}/lib NO_DEFAULT_PATH)
find_library(LibTorch_C10_LIBRARY c10 PATHS ${LIBTORCH_ROOT}/lib NO_DEFAULT_PATH)
# The OpenMP runtime that LibTorch brings along: at::parallel_for is compiled into our sources, and both must share threads.
# Some builds have a hash in its name.
file(GLOB _libtorch_openmp ${LIBTORCH_ROOT}/lib/libgomp*.so*)
list(POP_FRONT _libtorch_openmp LibTorch_OPENMP_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_OPENMP_LIBRARY LibTorch_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run packaging/test.sh or packaging/run.sh once, or set LIBTORCH_ROOT")

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  add_library(LibTorch::c10 SHARED IMPORTED)
  set_target_properties(LibTorch::c10 PROPERTIES IMPORTED_LOCATION ${LibTorch_C10_LIBRARY})
  add_library(LibTorch::LibTorch SHARED IMPORTED)
  set_target_properties(LibTorch::LibTorch PROPERTIES
    IMPORTED_LOCATION ${LibTorch_CPU_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES "${LibTorch_INCLUDE_DIR};${LibTorch_INCLUDE_DIR}/torch/csrc/api/include"
    INTERFACE_LINK_LIBRARIES "LibTorch::c10;${LibTorch_OPENMP_LIBRARY}"
    # LibTorch's own dependencies resolve through its RPATH at run time, not at link time.
    INTERFACE_LINK_OPTIONS "LINKER:--allow-shlib-undefined")
endif()
