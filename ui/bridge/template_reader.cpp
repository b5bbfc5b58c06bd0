#include "ui/bridge/template_reader.h"

#include <exception>
#include <utility>

namespace plumbline::ui {

TemplateReader::TemplateReader(QObject* parent) : QObject(parent) {
    thread_.setMaxThreadCount(1);
}

TemplateReader::~TemplateReader() {
    thread_.clear();
    thread_.waitForDone();
}

void TemplateReader::ask_model(const QString& model) {
    run([this, token = ++model_asked_, name = model.toStdString()]() -> std::function<void()> {
        try {
            return [this, token, answer = read_model_template(name)] {
                if (token == model_asked_) {
                    Q_EMIT read(answer);
                }
            };
        } catch (const std::exception& error) {
            return [this, token, message = QString::fromUtf8(error.what())] {
                if (token == model_asked_) {
                    Q_EMIT failed(message);
                }
            };
        }
    });
}

void TemplateReader::ask_dialogue(const QString& jinja, const ModelTemplate& model,
                                  const std::vector<Message>& dialogue) {
    run([this, token = ++dialogue_asked_, jinja = jinja.toStdString(), model, dialogue] {
        return [this, token, answer = write_dialogue(jinja, model, dialogue)] {
            if (token == dialogue_asked_) {
                Q_EMIT written(answer);
            }
        };
    });
}

void TemplateReader::run(std::function<std::function<void()>()> work) {
    thread_.start([this, work = std::move(work)] {
        QMetaObject::invokeMethod(this, work(), Qt::QueuedConnection);
    });
}

}  // namespace plumbline::ui
