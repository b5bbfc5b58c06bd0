#pragma once
// Where a training stands at a step boundary, in memory and as a file: weights, optimiser, place in the data.

#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/api/offline.h"
#include "core/lab/offline_stage.h"

namespace plumbline {

/// Where the next batch begins.
struct DataPlace {
    int epoch = 0;
    std::size_t row = 0;  // in that epoch's order
};

/// A value: its tensors are copies.
struct TrainingState {
    int steps = 0;  // done
    DataPlace place;
    std::map<std::string, at::Tensor> tensors;
    std::map<std::string, double> numbers;
};

TrainingState capture(const TrainingStage& stage, int steps, DataPlace place);
/// Puts the copies back into the live tensors. Throws Error when names or shapes are not the stage's.
void restore(TrainingStage& stage, const TrainingState& state);

/// Writes both files. `asked` has the settings that go with the state.
void write_training_state(const std::filesystem::path& out, const TrainingState& state,
                          const SavedTraining& asked);
/// Nothing where there is none.
void remove_training_state(const std::filesystem::path& out);
struct SavedState {
    TrainingState state;
    SavedTraining asked;
};
/// Throws Error "resume training: …" when there is none or it is damaged.
SavedState read_training_state(const std::filesystem::path& out);

}  // namespace plumbline
