#pragma once
// One maker a simulated person; catalogue.cpp lists them. Each returns a judge with default options.

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
/// By a sum of rules, as parse_reward_mix() reads it; throws ConfigError.
std::unique_ptr<Judge> make_rule_judge(const std::string& rules);

}  // namespace plumbline
