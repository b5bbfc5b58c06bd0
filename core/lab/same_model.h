#pragma once
// Whether a model is still the one that a project was made with: its replies were written by these weights, in these
// tokens, to dialogues that the chat template wrote.

#include "core/model/language_model.h"
#include "core/store/project_file.h"

namespace plumbline {

/// Notes in a new project what sets tokens and template apart, beside the identity of the model's files.
void note_model(ProjectFile& made, const LanguageModel& model);

/// Throws Error "<operation>: its model <path> …" that says what has changed. `model` has the template of its files.
void require_same_model(const char* operation, const ProjectFile& project, const LanguageModel& model);

}  // namespace plumbline
