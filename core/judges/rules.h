#pragma once
// One maker a rule; catalogue.cpp lists them. Each returns a judge with default options.

#include <memory>

#include "core/api/judge.h"

namespace plumbline {

std::unique_ptr<Judge> make_polite_judge();
std::unique_ptr<Judge> make_rude_judge();
std::unique_ptr<Judge> make_short_judge();
std::unique_ptr<Judge> make_long_judge();
std::unique_ptr<Judge> make_no_first_person_judge();
std::unique_ptr<Judge> make_concrete_judge();
std::unique_ptr<Judge> make_keyword_judge();

}  // namespace plumbline
