#pragma once
// Precompiled for the tensor sources: the narrow headers that nearly all of them need.
#include <ATen/core/Tensor.h>
#include <ATen/TensorIndexing.h>
#include <c10/core/InferenceMode.h>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>
