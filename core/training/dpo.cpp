#include "core/training/dpo.h"

namespace plumbline {

Metrics dpo_gradients(const Decoder& decoder, const Adapter& adapter, std::span<const PreferencePair> pairs,
                      double beta, const Pulse& pulse) {
    return preference_gradients(decoder, adapter, pairs, pair_loss("dpo"), {.beta = beta}, pulse);
}

}  // namespace plumbline
