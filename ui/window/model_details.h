#pragma once
// All that is known of one model of the catalogue, and what can be done with it.

#include <QList>

#include "ui/bridge/model_catalog.h"
#include "ui/controls/surface.h"

class QGridLayout;
class QPushButton;
class QVBoxLayout;

namespace plumbline::ui {

class Label;
class MemoryGauge;
class Notice;

/// The theme must outlive it.
class ModelDetails : public Surface {
    Q_OBJECT
  public:
    explicit ModelDetails(const Theme& theme, QWidget* parent = nullptr);

    void show_model(const CatalogModel& model, const MachineMemory& memory);
    /// Words in the place of a model.
    void show_nothing(const QString& words);

    const QString& name() const { return name_; }  // empty: nothing is shown
    QString problem() const;
    QString text() const;  // of all labels, for whoever reads it aloud or looks for it
    QPushButton& act_button() const { return *act_; }        // a session with it, or how to get it
    QPushButton& folder_button() const { return *folder_; }
    QPushButton& remove_button() const { return *remove_; }
    /// As a press of the first button; nothing where that is disabled.
    void act();

  Q_SIGNALS:
    void use_wanted(const QString& name);
    void folder_wanted(const QString& path);
    void remove_wanted(const QString& name);

  private:
    void build_facts(QVBoxLayout& column);
    void build_memory(QVBoxLayout& column);
    void build_buttons(QVBoxLayout& column);
    void show_need(int row, std::int64_t need, const MachineMemory& memory);

    struct Fact {
        Label* key;
        Label* value;
    };
    struct Need {
        Label* amount;
        Label* words;
        MemoryGauge* gauge;
    };
    QString name_;
    QString instructions_;
    QString place_;
    bool fetch_ = false;  // the first button copies the instructions
    QWidget* whole_;
    Label* nothing_;
    Label* title_;
    Label* command_name_;
    QWidget* wrong_;
    Notice* notice_;
    QList<Fact> facts_;
    QWidget* memory_;
    Label* memory_note_;
    QList<Need> needs_;
    Label* how_;
    QPushButton* act_;
    QPushButton* folder_;
    QPushButton* remove_;
};

}  // namespace plumbline::ui
