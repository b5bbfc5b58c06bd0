#pragma once
// Chat templates for the window. A model's files lie on disks and a template may take its time, so both are worked on
// off the GUI thread.

#include <QObject>
#include <QString>
#include <functional>
#include <memory>

#include "core/api/chat_templates.h"

namespace plumbline::ui {

/// Used on the GUI thread; its end waits for nothing. Of the answers to each question only the latest one's comes.
class TemplateReader : public QObject {
    Q_OBJECT
  public:
    explicit TemplateReader(QObject* parent = nullptr);
    ~TemplateReader() override;

    /// Answered by `read`, or by `failed` for a model that cannot be opened.
    void ask_model(const QString& model);
    /// Answered by `written`.
    void ask_dialogue(const QString& jinja, const ModelTemplate& model, const std::vector<Message>& dialogue);

  Q_SIGNALS:
    void read(const plumbline::ModelTemplate& model);
    void failed(const QString& message);
    void written(const plumbline::WrittenDialogue& dialogue);

  private:
    /// Does `work` on another thread, and on the GUI thread what that returns.
    void run(std::function<std::function<void()>()> work);
    /// Shared with the work, which may outlast the reader.
    struct Link;

    std::shared_ptr<Link> link_;
    int model_asked_ = 0, dialogue_asked_ = 0;   // questions so far: the tokens of their answers
};

}  // namespace plumbline::ui
