#pragma once
// What a sampled reply is worth: a learned reward model, rules, or a weighted sum of both.

#include "core/lab/opened_model.h"
#include "core/training/rollouts.h"

namespace plumbline {

/// The score that `request` asks for; the parts of a sum by name. The references stay in use. Throws
/// ConfigError when there is neither a reward model nor a rule, or a rule asks for the model that is not
/// there, or a model is given that no part asks for.
ScoreReply make_score(const TrainRequest& request, const OpenedModel& opened);

}  // namespace plumbline
