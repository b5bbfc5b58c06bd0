#pragma once
// Precompiled for the tensor sources: the headers that nearly all of them need.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>
