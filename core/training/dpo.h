#pragma once
// Direct preference optimisation by name; preference.h has all forms.

#include "core/training/preference.h"

namespace plumbline {

/// preference_gradients with the loss "dpo".
Metrics dpo_gradients(const Decoder& decoder, const Adapter& adapter, std::span<const PreferencePair> pairs,
                      double beta, const Pulse& pulse);

}  // namespace plumbline
