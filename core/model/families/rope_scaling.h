#pragma once
// Ways to stretch rotary positions over longer contexts, each as divisors of the frequencies: Rope::factors.

#include <cstdint>
#include <vector>

#include "core/model/decoder_config.h"

namespace plumbline {

std::vector<double> linear_factors(std::int64_t dims, double factor);

/// Llama 3.1: long waves are stretched by `factor`, short ones not, those between smoothly.
struct Llama3Scaling {
    double factor = 8, low = 1, high = 4;
    double original_context = 8192;
};
std::vector<double> llama3_factors(const Rope& plain, std::int64_t dims, const Llama3Scaling& scaling);

/// YaRN (2309.00071), equation 23 and its ramp.
struct YarnScaling {
    double factor = 1, beta_fast = 32, beta_slow = 1;
    double original_context = 4096;
    bool whole_bounds = true;   // the ramp's ends rounded to whole entries
};
std::vector<double> yarn_factors(const Rope& plain, std::int64_t dims, const YarnScaling& scaling);
/// The growth of queries and keys that goes with it: 0.1 m ln s + 1.
double yarn_magnitude(double factor, double m = 1);

/// LongRoPE (2402.13753): how queries and keys grow when a context of `original` tokens is stretched by `factor`.
double longrope_magnitude(double factor, double original);

}  // namespace plumbline
