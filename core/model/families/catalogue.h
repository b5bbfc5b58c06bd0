#pragma once
// One file a family or group of siblings; families() puts them together.

#include "core/model/families/family.h"

namespace plumbline {

std::vector<Family> llama_families();   // Llama and what differs from it by a few settings
std::vector<Family> gemma_families();
std::vector<Family> phi3_family();
std::vector<Family> gpt2_family();
std::vector<Family> gpt_neox_family();
std::vector<Family> opt_family();

}  // namespace plumbline
