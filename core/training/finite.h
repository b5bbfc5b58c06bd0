#pragma once
// The guard before a gradient.

#include <cmath>
#include <string>

#include "core/training/optimizer.h"

namespace plumbline {

/// `value` as it is; throws NonFinite with "<what> is not finite" otherwise.
inline double finite(double value, const std::string& what) {
    if (!std::isfinite(value)) {
        throw NonFinite(what + " is not finite");
    }
    return value;
}

}  // namespace plumbline
