#include "ui/bridge/model_catalog.h"

#include <algorithm>
#include <exception>

namespace plumbline::ui {

ModelCatalog::ModelCatalog(QObject* parent) : QObject(parent) {
    thread_.setMaxThreadCount(1);
}

ModelCatalog::~ModelCatalog() {
    thread_.clear();
    thread_.waitForDone();
}

const CatalogModel* ModelCatalog::find(const QString& name) const {
    const auto found = std::find_if(models_.begin(), models_.end(), [wanted = name.toStdString()](const auto& model) {
        return model.name == wanted;
    });
    return found == models_.end() ? nullptr : &*found;
}

void ModelCatalog::refresh() {
    ask([](Answer&) {});
}

void ModelCatalog::add(const QStringList& paths) {
    ask([paths](Answer& answer) {
        for (const QString& path : paths) {
            try {
                answer.added.append(QString::fromStdString(add_own_model(path.toStdString())));
            } catch (const std::exception& error) {
                answer.problems.append(QString::fromUtf8(error.what()));
            }
        }
    });
}

void ModelCatalog::remove(const QString& name) {
    ask([name](Answer&) { remove_own_model(name.toStdString()); });
}

void ModelCatalog::ask(std::function<void(Answer&)> work) {
    ++waiting_;
    thread_.start([this, work = std::move(work)] {
        Answer answer;
        const auto attempt = [&](const auto& act) {
            try {
                act();
            } catch (const std::exception& error) {
                answer.problems.append(QString::fromUtf8(error.what()));
            }
        };
        attempt([&] { work(answer); });
        attempt([&] { answer.models = catalog_models(); });
        answer.memory = machine_memory();
        QMetaObject::invokeMethod(this, [this, answer = std::move(answer)] { take(answer); }, Qt::QueuedConnection);
    });
}

void ModelCatalog::take(const Answer& answer) {
    --waiting_;
    models_ = answer.models;
    memory_ = answer.memory;
    Q_EMIT changed();
    if (!answer.added.isEmpty()) {
        Q_EMIT added(answer.added);
    }
    if (!answer.problems.isEmpty()) {
        Q_EMIT failed(answer.problems.join(QLatin1Char('\n')));
    }
}

}  // namespace plumbline::ui
