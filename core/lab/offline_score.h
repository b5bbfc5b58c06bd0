#pragma once
// What a sampled reply is worth: a learned reward model, rules, or a weighted sum of both.

#include "core/lab/opened_model.h"
#include "core/training/rollouts.h"

namespace plumbline {

/// Before any model is read: throws ConfigError when there is neither a reward model nor a rule, a rule is none, asks
/// for a model that is not given, or a model is given that no part asks for.
void check_score(const TrainRequest& request);
/// The score that the checked `request` asks for; the parts of a sum by name. The references stay in use.
ScoreReply make_score(const TrainRequest& request, const OpenedModel& opened);

}  // namespace plumbline
