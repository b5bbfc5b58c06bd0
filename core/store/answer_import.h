#pragma once
// Answers that people gave elsewhere, as labels of a project.

#include <cstdint>
#include <memory>
#include <string>

#include "core/store/answers.h"

namespace plumbline {

class ChatTemplate;

/// All answers of one file in one transaction: without commit() none of them has been there. Each becomes a label with
/// replies of its own, which have no tokens until a session learns from them; prompts are hidden, as removed ones are.
/// While it lives nothing else writes to the file.
class AnswerImport {
  public:
    explicit AnswerImport(ProjectFile& file);
    ~AnswerImport();
    AnswerImport(const AnswerImport&) = delete;
    AnswerImport& operator=(const AnswerImport&) = delete;

    void add(const Answer& answer);
    /// `source` is what the event log calls the file.
    void commit(const std::string& source);

  private:
    struct Rows;
    std::unique_ptr<Rows> rows_;
};

/// All good rows of a preference file, or on Stopped and Error none. Dialogues that the template refuses are bad rows;
/// without one all are taken.
ImportResult import_preferences(ProjectFile& project, const std::filesystem::path& file, const Job& job,
                                const ChatTemplate* chat_template = nullptr);

}  // namespace plumbline
