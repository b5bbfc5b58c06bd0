#pragma once
// The catalogue of models for the window. Headers lie on disks, so they are read off the GUI thread.

#include <QObject>
#include <QStringList>
#include <QThreadPool>
#include <functional>
#include <vector>

#include "core/api/catalog.h"
#include "core/api/machine_memory.h"

namespace plumbline::ui {

/// Used on the GUI thread. What is asked for is done in order by one thread of its own; its end waits for that thread.
class ModelCatalog : public QObject {
    Q_OBJECT
  public:
    explicit ModelCatalog(QObject* parent = nullptr);
    ~ModelCatalog() override;

    const std::vector<CatalogModel>& models() const { return models_; }  // as last read
    const MachineMemory& memory() const { return memory_; }
    /// Something that was asked for is still under way.
    bool busy() const { return waiting_ > 0; }
    const CatalogModel* find(const QString& name) const;  // nullptr: there is none

    void refresh();
    /// Lists models where they lie; told by `added`, what cannot be opened by `failed`.
    void add(const QStringList& paths);
    void remove(const QString& name);

  Q_SIGNALS:
    void changed();
    void added(const QStringList& names);  // after `changed`
    void failed(const QString& message);

  private:
    struct Answer {
        std::vector<CatalogModel> models;
        MachineMemory memory;
        QStringList added, problems;
    };
    void ask(std::function<void(Answer&)> work);
    void take(const Answer& answer);

    std::vector<CatalogModel> models_;
    MachineMemory memory_;
    int waiting_ = 0;
    QThreadPool thread_;
};

}  // namespace plumbline::ui
