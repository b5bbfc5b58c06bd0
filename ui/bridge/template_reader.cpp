#include "ui/bridge/template_reader.h"

#include <QThreadPool>
#include <exception>
#include <mutex>
#include <utility>

namespace plumbline::ui {

struct TemplateReader::Link {
    std::mutex mutex;
    TemplateReader* reader = nullptr;  // protected by mutex; null once it is gone
};

TemplateReader::TemplateReader(QObject* parent) : QObject(parent), link_(std::make_shared<Link>()) {
    link_->reader = this;
}

TemplateReader::~TemplateReader() {
    const std::lock_guard lock(link_->mutex);
    link_->reader = nullptr;
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
    QThreadPool::globalInstance()->start([link = link_, work = std::move(work)] {
        const std::function<void()> answer = work();
        const std::lock_guard lock(link->mutex);
        if (link->reader) {
            QMetaObject::invokeMethod(link->reader, answer, Qt::QueuedConnection);
        }
    });
}

}  // namespace plumbline::ui
