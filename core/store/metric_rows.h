#pragma once
// The curves of a project as a table.

#include <string>
#include <vector>

#include "core/api/events.h"

namespace plumbline {

/// CSV with a header: step, label, labels, then a column a metric. `label` is the click that it belongs to, `labels` what
/// the reward model was fitted on, `step` the policy's; a click has a row for each of its steps.
std::vector<std::string> metric_rows(const std::vector<MetricPoint>& points);

}  // namespace plumbline
