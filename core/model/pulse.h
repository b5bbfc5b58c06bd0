#pragma once
// What long tensor work calls between its micro-steps, so that a click is never behind a long job.

#include <functional>
#include <stop_token>

#include "core/api/errors.h"

namespace plumbline {

/// Copied by reference into running work; used on the engine's thread. `beat` must not touch tensors, and must not
/// throw: it may run inside a backward pass.
struct Pulse {
    std::function<void()> beat;
    std::stop_token stop;

    void operator()() const {
        if (beat) {
            beat();
        }
    }
    /// A beat, and Stopped if the user asked for it. Only outside a backward pass.
    void check() const {
        (*this)();
        if (stop.stop_requested()) {
            throw Stopped();
        }
    }
};

}  // namespace plumbline
